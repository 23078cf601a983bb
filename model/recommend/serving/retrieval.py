"""The best items of a whole catalogue by inner product: pure functions for use inside a jitted one.

The product of all users with all items is mostly writing and reading: 100,000 items x 128 users are 51 MB of scores of
which 0.1 % matter. So it is computed one block of items at a time, small enough for a core's cache, and of each block
only the maxima of small and of large chunks are kept. The k greatest scores are in the k chunks with the greatest
maxima: the k best large chunks lead to the k best small ones, and only their items are scored again, together.

A row's result does not depend on the other rows, as long as calls have the same number of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

Found = tuple[Float[Array, "B K"], Int[Array, "B K"]]

# Items in a small chunk, and small chunks in a large one. Of 8 x 8 .. 4 x 32 these were slightly the fastest for 100
# of 100,000 items.
_SMALL = 8
_LARGE = 16
_CHUNK = _SMALL * _LARGE
# Items in a block: its scores for 128 users are 2 MB. A device whose kernels are costly to start gets larger ones.
_BLOCK_CPU = 4096
_BLOCK_OTHER = 65_536
# Users whose candidates are gathered together: 3 MB for k = 100.
_SUBTILE = 16
# Below this many items, chunks save nothing.
_CHUNKS_FROM = 32_768

# Scores of a block of items, from users and the block's part of each array of the catalogue; "N B".
Scorer = Callable[..., Float[Array, "N B"]]
# Scores of the items of some small chunks of each user, from users and the chunks' numbers; "B M".
Rescorer = Callable[[Float[Array, "B D"], Int[Array, "B G"]], Float[Array, "B M"]]


def top_k(
    users_BxD: Float[Array, "B D"],
    vectors_CxD: Float[Array, "C D"],
    open_C: Bool[Array, " C"],
    k: int,
    *,
    prior_C: Float[Array, " C"] | None = None,
) -> Found:
    """The `k` open items with the greatest product for each user: scores, descending, and slots.

    Exact except for the rounding of float32 sums. `prior_C` is added to each item's product. Equal scores go by slot.
    If fewer than `k` items are open, the rest has a score of -inf and an undefined slot. Made for 128 or 256 rows (with
    32 or fewer, `topk.top_k` is as fast) and for a capacity that is a multiple of 4,096; others are copied and padded
    in every call.
    """

    if prior_C is None:
        prior_C = jnp.zeros(vectors_CxD.shape[0], vectors_CxD.dtype)

    def scores(users: Array, vectors_NxD: Array, prior_N: Array) -> Array:
        return _exact_product(vectors_NxD, users.T) + prior_N[:, None]

    def rescored(users: Array, chunks_BxG: Array) -> Array:
        return _products(users, in_chunks(vectors_CxD, chunks_BxG)) + in_chunks(prior_C, chunks_BxG)

    if not chunked(vectors_CxD.shape[0], k):
        scores_BxC = _exact_product(users_BxD, vectors_CxD.T) + prior_C[None, :]
        return lax.top_k(jnp.where(open_C[None, :], scores_BxC, -jnp.inf), k)
    return by_chunks(users_BxD, (vectors_CxD, prior_C), open_C, k, scores=scores, rescored=rescored, keep=k)


def rescored(
    users_BxD: Float[Array, "B D"],
    vectors_CxD: Float[Array, "C D"],
    open_C: Bool[Array, " C"],
    slots_BxM: Int[Array, "B M"],
    k: int,
) -> Found:
    """The `k` best of each user's own candidates, which are distinct slots; -1 is none. Otherwise like `top_k`.

    Equal scores go by the order of the candidates.
    """
    vectors_BxMxD = vectors_CxD.at[slots_BxM].get(mode="clip")
    there_BxM = open_C.at[slots_BxM].get(mode="clip") & (slots_BxM >= 0)
    scores_BxK, at_BxK = lax.top_k(jnp.where(there_BxM, _products(users_BxD, vectors_BxMxD), -jnp.inf), k)
    return scores_BxK, jnp.maximum(jnp.take_along_axis(slots_BxM, at_BxK, 1), 0)


def chunked(items: int, k: int) -> bool:
    """Whether searching by chunks is possible and worth while."""
    return items >= max(_CHUNKS_FROM, _CHUNK * k)


def by_chunks(
    users_BxD: Float[Array, "B D"],
    catalogue: Sequence[Array],
    open_C: Bool[Array, " C"],
    k: int,
    *,
    scores: Scorer,
    rescored: Rescorer,
    keep: int,
) -> Found:
    """The `k` best by `rescored` among the items of the `keep` small chunks that are best by `scores`.

    The arrays of `catalogue` have one row per item. Exact if both agree and `keep` is `k`.
    """
    rows, items = users_BxD.shape[0], open_C.shape[0]
    small_GxLxB, large_GxB = _maxima(users_BxD, catalogue, open_C, scores)

    def select(part: tuple[Array, Array, Array]) -> Found:
        users, large_SxG, columns_S = part
        chunks_SxG = _best_chunks(small_GxLxB, large_SxG, columns_S, keep)
        slots_SxM = (chunks_SxG[:, :, None] * _SMALL + jnp.arange(_SMALL)[None, None, :]).reshape(len(users), -1)
        there_SxM = open_C.at[slots_SxM].get(mode="fill", fill_value=False)
        scores_SxK, at_SxK = lax.top_k(jnp.where(there_SxM, rescored(users, chunks_SxG), -jnp.inf), k)
        return scores_SxK, jnp.minimum(jnp.take_along_axis(slots_SxM, at_SxK, 1), items - 1)

    size = _SUBTILE if rows % _SUBTILE == 0 else rows
    parts = (users_BxD, large_GxB.T, jnp.arange(rows))
    found = lax.map(select, tuple(part.reshape(rows // size, size, *part.shape[1:]) for part in parts))
    return found[0].reshape(rows, k), found[1].reshape(rows, k)


def in_chunks(array_CxD: Array, chunks_BxG: Int[Array, "B G"]) -> Array:
    """The rows of small chunks, one after another: "B M D"."""
    whole = array_CxD.shape[0] // _SMALL * _SMALL
    if whole < array_CxD.shape[0]:
        array_CxD = _padded(array_CxD, _SMALL)
    rows_BxGxN = array_CxD.reshape(-1, _SMALL, *array_CxD.shape[1:]).at[chunks_BxG].get(mode="clip")
    return rows_BxGxN.reshape(chunks_BxG.shape[0], -1, *array_CxD.shape[1:])


def _exact_product(a: Array, b: Array) -> Array:
    # A GPU would otherwise round float32 factors to ten bits.
    return jnp.matmul(a, b, precision=lax.Precision.HIGHEST)


def _products(users_BxD: Array, vectors_BxMxD: Array) -> Array:
    # An explicit sum, not a matmul: a row's sum is then the same at any position.
    return (vectors_BxMxD * users_BxD[:, None, :]).sum(-1)


def _maxima(users_BxD: Array, catalogue: Sequence[Array], open_C: Array, scores: Scorer) -> tuple[Array, Array]:
    """The greatest score in each small chunk, by large chunk ("G L B"), and in each large one ("G B")."""
    rows = users_BxD.shape[0]
    block = _BLOCK_CPU if jax.default_backend() == "cpu" else _BLOCK_OTHER
    block = min(block, -(-open_C.shape[0] // _CHUNK) * _CHUNK)

    def work(open_N: Array, *parts: Array) -> Array:
        # Users are the last axis, so that a maximum over items works on whole vectors.
        scores_NxB = jnp.where(open_N[:, None], scores(users_BxD, *parts), -jnp.inf)
        return scores_NxB.reshape(-1, _SMALL, rows).max(1)

    def nothing(open_N: Array, *parts: Array) -> Array:
        return jnp.full((block // _SMALL, rows), -jnp.inf, users_BxD.dtype)

    def body(_: None, part: tuple[Array, ...]) -> tuple[None, tuple[Array, Array]]:
        # The empty end of a matrix that has just doubled costs nothing.
        small_GxB = lax.cond(part[0].any(), work, nothing, *part)
        return None, (small_GxB, small_GxB.reshape(-1, _LARGE, rows).max(1))

    padded = tuple(_padded(array, block) for array in (open_C, *catalogue))
    blocks = tuple(array.reshape(-1, block, *array.shape[1:]) for array in padded)
    _, (small, large) = lax.scan(body, None, blocks)
    return small.reshape(-1, _LARGE, rows), large.reshape(-1, rows)


def _best_chunks(small_GxLxB: Array, large_SxG: Array, columns_S: Array, keep: int) -> Array:
    # Sorted, so that candidates are in the order of their slots and equal scores go by it.
    large_SxK = jnp.sort(lax.top_k(large_SxG, keep)[1], 1)
    small_SxKxL = small_GxLxB[large_SxK, :, columns_S[:, None]]
    at_SxK = jnp.sort(lax.top_k(small_SxKxL.reshape(len(columns_S), -1), keep)[1], 1)
    return jnp.take_along_axis(large_SxK, at_SxK // _LARGE, 1) * _LARGE + at_SxK % _LARGE


def _padded(array: Array, multiple: int) -> Array:
    missing = -array.shape[0] % multiple
    return jnp.pad(array, [(0, missing)] + [(0, 0)] * (array.ndim - 1)) if missing else array
