"""How much more units vary than a Poisson distribution would: the variance of an item's units by their mean."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

_BLOCK_DAYS = 7.0
# The dispersion of all items counts for as much as so many blocks of an item.
_PRIOR_BLOCKS = 8.0


def estimate(
    units_NxT: Float[Array, "N T"],
    mean_NxT: Float[Array, "N T"],
    weight_NxT: Float[Array, "N T"],
    *,
    period_days: float = 1.0,
) -> Float[Array, " N"]:
    """Return Pearson's estimate by item, 1 at least.

    It is of sums of a week, because what moves demand lasts, and so do prices: the errors of seven days with
    one price are no seven errors. An item with little data has nearly the dispersion of all items.
    """
    block = max(round(_BLOCK_DAYS / period_days), 1)
    expected_NxB = _summed(weight_NxT * mean_NxT, block)
    missed_NxB = _summed(weight_NxT * (units_NxT - mean_NxT), block)
    # In each block the weights are nearly equal.
    heft_NxB = _summed(weight_NxT, block) / block
    total_N = jnp.where(heft_NxB > 0.0, missed_NxB**2 / jnp.maximum(expected_NxB, 0.05), 0.0).sum(1)
    freedom_N = jnp.maximum(heft_NxB.sum(1) - 2.0, 0.0)
    overall = total_N.sum() / jnp.maximum(freedom_N.sum(), 1.0)
    shrunk_N = (total_N + _PRIOR_BLOCKS * overall) / (freedom_N + _PRIOR_BLOCKS)
    return jnp.clip(shrunk_N, 1.0, 1e4)


def _summed(values_NxT: Array, block: int) -> Array:
    blocks = values_NxT.shape[1] // block
    return values_NxT[:, -blocks * block :].reshape(len(values_NxT), blocks, block).sum(-1)
