"""The best of many scores, and re-ranking for diversity: pure functions for use inside a jitted one."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

# From this many scores on, searching only the chunks with the best maxima is faster on a CPU: for 32 rows of 131,072
# scores and k = 128, 3.3 ms against 7.8 ms.
_TWO_STAGES_FROM = 32_768
_CHUNK = 32


def top_k(scores_BxC: Float[Array, "B C"], k: int) -> tuple[Float[Array, "B K"], Int[Array, "B K"]]:
    """The `k` greatest scores of each row, descending, and their columns; exact."""
    batch, columns = scores_BxC.shape
    if columns < max(_TWO_STAGES_FROM, _CHUNK * k):
        return lax.top_k(scores_BxC, k)
    chunks_BxGxN = scores_BxC.reshape(batch, -1, _CHUNK)
    # The k greatest scores are in the k chunks with the greatest maxima.
    _, chosen_BxK = lax.top_k(chunks_BxGxN.max(-1), k)
    candidates_BxM = jnp.take_along_axis(chunks_BxGxN, chosen_BxK[:, :, None], 1).reshape(batch, -1)
    best_BxK, at_BxK = lax.top_k(candidates_BxM, k)
    return best_BxK, jnp.take_along_axis(chosen_BxK, at_BxK // _CHUNK, 1) * _CHUNK + at_BxK % _CHUNK


def diversified(
    scores_BxK: Float[Array, "B K"], categories_BxK: Int[Array, "B K"], *, strength: float
) -> Float[Array, "B K"]:
    """Descending scores, minus `strength` x their standard deviation x log2(1 + better ones of the same category).

    Each further item of a category loses a little more, so a shelf mixes categories if their scores are close. This is
    the greedy choice for a sum with logarithmic returns per category, in closed form. A category of 0 is unknown and
    loses nothing; scores of -inf stay.
    """
    before_BxK = jnp.where(categories_BxK > 0, _before(categories_BxK), 0).astype(jnp.float32)
    finite_BxK = jnp.isfinite(scores_BxK)
    count_Bx1 = jnp.maximum(finite_BxK.sum(-1, keepdims=True), 1).astype(jnp.float32)
    values_BxK = jnp.where(finite_BxK, scores_BxK, 0.0)
    mean_Bx1 = values_BxK.sum(-1, keepdims=True) / count_Bx1
    spread_Bx1 = jnp.sqrt(jnp.where(finite_BxK, (values_BxK - mean_Bx1) ** 2, 0.0).sum(-1, keepdims=True) / count_Bx1)
    return scores_BxK - strength * spread_Bx1 * jnp.log2(1.0 + before_BxK)


def _before(categories_BxK: Int[Array, "B K"]) -> Int[Array, "B K"]:
    """How many columns before each one have its category: found by sorting columns by category."""
    size = categories_BxK.shape[1]
    first_BxK = categories_BxK * size  # the least key that a column of this category could have
    keys_BxK = first_BxK + jnp.arange(size)[None, :]

    def places(sorted_K: Array, keys_K: Array) -> Array:
        return jnp.searchsorted(sorted_K, keys_K)

    sorted_BxK = lax.sort(keys_BxK, is_stable=False)
    return jax.vmap(places)(sorted_BxK, keys_BxK) - jax.vmap(places)(sorted_BxK, first_BxK)
