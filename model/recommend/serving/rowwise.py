"""Row by row: how a compiled call of fixed shape does only the work asked for, with the same result for each row.

On a CPU the rows of a call are processed one after the other, in a loop that ends after the last one asked for. Every
row runs through the same instructions with the same shapes, so its bits do not depend on how many rows came with it,
and a single row costs a thirty-second of thirty-two. An accelerator processes all rows of a call at once, padding
included: there the cost is that of the call itself, and its shape is always the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Int

Compute = Callable[..., Any]


def apply(compute: Compute, arrays: Any, count: Int[Array, ""], *, block: int = 1) -> Any:
    """The results of `compute` for the first `count` rows of `arrays`; the values of all other rows are undefined.

    All arrays have the same first axis, a multiple of `block`. `compute(left, part)` gets `block` rows of each array at
    a time; `left` is how many rows from the first of them on are wanted. It returns arrays with as many rows as it got,
    and no row of them may depend on another.
    """
    if jax.default_backend() != "cpu":
        return compute(count, arrays)
    rows = jax.tree.leaves(arrays)[0].shape[0]
    first = jax.eval_shape(compute, count, jax.tree.map(lambda array: array[:block], arrays))
    empty = jax.tree.map(lambda one: jnp.zeros((rows, *one.shape[1:]), one.dtype), first)

    def work(turn: Array, made: Any) -> Any:
        at = turn * block
        part = jax.tree.map(lambda array: lax.dynamic_slice_in_dim(array, at, block), arrays)
        return jax.tree.map(
            lambda whole, new: lax.dynamic_update_slice_in_dim(whole, new, at, 0), made, compute(count - at, part)
        )

    return lax.fori_loop(0, (jnp.minimum(count, rows) + block - 1) // block, work, empty)
