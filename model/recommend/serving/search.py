"""The best items of the whole catalogue by final score: pure functions for use inside a jitted one."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from model.recommend import blend
from model.recommend.blend import Blend, Recent, Tables, Votes
from model.recommend.serving import retrieval, rowwise, topk
from model.recommend.transitions import NOTHING

Found = tuple[Float[Array, "B K"], Int[Array, "B K"]]

MOST_SCANNED_PAST = 64
"""For a user with more excluded items than this, all scores are computed."""

# Users whose probabilities are computed at once.
_FEW = 8
# Users with one common product: the matrix is read from memory once for all of them.
_TOGETHER = 4


def best(
    learned: Blend,
    tables: Tables,
    users_BxD: Float[Array, "B D"],
    recent: Recent,
    vectors_CxD: Float[Array, "C D"],
    faded_C: Float[Array, " C"],
    open_C: Bool[Array, " C"],
    excluded_BxX: Int[Array, "B X"],  # ascending in each row
    *,
    k: int,
    count: Int[Array, ""] | int | None = None,
    columns_DxC: Float[Array, "D C"] | None = None,
) -> Found:
    """The `k` greatest final scores of each user, descending, and their items; exact. -inf marks what may not be shown.

    With `count`, only the first users are computed; the results of the others are undefined. `columns_DxC` are the same
    vectors, one item per column, if they are kept: then products with all of them are computed at every size, which for
    few users costs less than scanning a large catalogue.
    """
    users_BxD = jnp.exp(learned.log_gain) * users_BxD
    prior_C = blend.prior(learned, faded_C)
    if columns_DxC is None and scans(vectors_CxD.shape[0], k, excluded_BxX.shape[1]):
        return _scanned(learned, tables, users_BxD, recent, vectors_CxD, prior_C, open_C, excluded_BxX, k)
    columns_DxC = vectors_CxD.T if columns_DxC is None else columns_DxC

    def select_each(_: Array, part: tuple[Array, Recent, Array]) -> Found:
        scores_SxC, recent, excluded_SxX = part
        rows_Sx1 = jnp.arange(len(scores_SxC))[:, None]
        voted = blend.summed(blend.votes(learned, tables.transitions, recent), len(vectors_CxD))
        items_SxJ = jnp.concatenate([voted.items_BxM, excluded_SxX], 1)
        added_SxM = blend.bonus(learned, voted.values_BxM)
        added_SxJ = jnp.concatenate([added_SxM, jnp.full_like(excluded_SxX, -jnp.inf, added_SxM.dtype)], 1)
        scores_SxC = scores_SxC.at[rows_Sx1, items_SxJ].add(added_SxJ, mode="drop")
        return topk.top_k(_with_neighbours(learned, tables, recent, scores_SxC), k)

    def score_block(left: Array, part: tuple[Array, Recent, Array]) -> Found:
        users_SxD, recent, excluded_SxX = part
        scores_SxC = jnp.where(open_C[None, :], users_SxD @ columns_DxC + prior_C[None, :], -jnp.inf)
        return rowwise.apply(select_each, (scores_SxC, recent, excluded_SxX), left)

    rows = users_BxD.shape[0]
    together = _TOGETHER if rows % _TOGETHER == 0 else 1
    asked = jnp.asarray(rows if count is None else count, jnp.int32)
    return rowwise.apply(score_block, (users_BxD, recent, excluded_BxX), asked, block=together)


def most_probable(
    learned: Blend,
    tables: Tables,
    users_BxD: Float[Array, "B D"],
    recent: Recent,
    vectors_CxD: Float[Array, "C D"],
    faded_C: Float[Array, " C"],
    open_C: Bool[Array, " C"],
    excluded_BxX: Int[Array, "B X"],
    *,
    k: int,
) -> Found:
    """The `k` most probable items for each user and the logarithm of their probabilities, descending.

    Softmax of the final scores over all items that may be shown, for which the blend was fitted. -inf or nan marks what
    may not be shown. All scores are computed, for eight users at a time.
    """

    def search_block(part: tuple[Array, Array, Array, Array]) -> Found:
        users, items, strengths, excluded = part
        scores_SxC = blend.scores(learned, tables, users, vectors_CxD, Recent(items, strengths), faded_C)
        scores_SxC = jnp.where(open_C[None, :], scores_SxC, -jnp.inf)
        scores_SxC = scores_SxC.at[jnp.arange(len(users))[:, None], excluded].set(-jnp.inf, mode="drop")
        scores_SxK, items_SxK = topk.top_k(scores_SxC, k)
        return scores_SxK - jax.nn.logsumexp(scores_SxC, 1, keepdims=True), items_SxK

    rows = users_BxD.shape[0]
    at_once = rows if rows % _FEW else _FEW
    parts = (users_BxD, *recent, excluded_BxX)
    logs, items = lax.map(search_block, tuple(array.reshape(rows // at_once, at_once, -1) for array in parts))
    return logs.reshape(rows, k), items.reshape(rows, k)


def scans(items: int, k: int, excluded: int) -> bool:
    """Whether a catalogue of this many rows is scanned block by block, without keeping all scores."""
    return excluded <= MOST_SCANNED_PAST and retrieval.chunked(items, k + excluded)


def at(
    learned: Blend,
    tables: Tables,
    users_BxD: Float[Array, "B D"],
    recent: Recent,
    vectors_CxD: Float[Array, "C D"],
    faded_C: Float[Array, " C"],
    items_BxK: Int[Array, "B K"],
) -> Float[Array, "B K"]:
    """The final scores of only these items."""
    prior_C = blend.prior(learned, faded_C)
    scores_BxK = _sums(jnp.exp(learned.log_gain) * users_BxD, vectors_CxD, prior_C, items_BxK)
    voted = blend.summed(blend.votes(learned, tables.transitions, recent), len(vectors_CxD))
    return scores_BxK + _beside(learned, tables, recent, voted, len(vectors_CxD), items_BxK)


def _scanned(
    learned: Blend,
    tables: Tables,
    users_BxD: Array,
    recent: Recent,
    vectors_CxD: Array,
    prior_C: Array,
    open_C: Array,
    excluded_BxX: Array,
    k: int,
) -> Found:
    """The best of a large catalogue.

    What the tables add is never negative, so they are among the `k` best by inner product and prior and the items that
    the tables point to; as many more are searched as may be excluded.
    """
    scores_BxJ, items_BxJ = retrieval.top_k(users_BxD, vectors_CxD, open_C, k + excluded_BxX.shape[1], prior_C=prior_C)
    scores_BxJ = jnp.where(_contains(excluded_BxX, items_BxJ), -jnp.inf, scores_BxJ)
    scores_BxK, at_BxK = topk.top_k(scores_BxJ, k)
    items_BxK = jnp.take_along_axis(items_BxJ, at_BxK, 1)
    voted = blend.summed(blend.votes(learned, tables.transitions, recent), len(vectors_CxD))
    near = blend.near_by(learned, tables.neighbours, recent)
    items_BxM = jnp.sort(jnp.concatenate([voted.items_BxM, near.items_BxM], 1), 1)
    again_BxM = jnp.pad(items_BxM[:, 1:] == items_BxM[:, :-1], ((0, 0), (1, 0)))[:, : items_BxM.shape[1]]
    left_out_BxM = again_BxM | _contains(jnp.sort(items_BxK, 1), items_BxM) | _contains(excluded_BxX, items_BxM)
    shown_BxM = open_C.at[items_BxM].get(mode="fill", fill_value=False) & ~left_out_BxM
    sums_BxM = jnp.where(shown_BxM, _sums(users_BxD, vectors_CxD, prior_C, items_BxM), -jnp.inf)
    items_BxJ = jnp.concatenate([items_BxK, items_BxM], 1)
    scores_BxJ = jnp.concatenate([scores_BxK, sums_BxM], 1)
    scores_BxJ += _beside(learned, tables, recent, voted, len(vectors_CxD), items_BxJ)
    final_BxK, at_BxK = topk.top_k(scores_BxJ, k)
    return final_BxK, jnp.take_along_axis(items_BxJ, at_BxK, 1)


def _beside(
    learned: Blend, tables: Tables, recent: Recent, voted: Votes, items: int, items_BxK: Array
) -> Float[Array, "B K"]:
    """What the tables add to the scores of these items; `voted` are the summed votes."""

    def near_by(part: tuple[Recent, Array]) -> Array:
        recent, items_K = part
        near_C = _with_neighbours(learned, tables, Recent(*(column[None] for column in recent)), jnp.zeros((1, items)))
        return near_C[0].at[items_K].get(mode="fill", fill_value=0.0)

    return blend.bonus(learned, blend.votes_at(voted, items_BxK)) + lax.map(near_by, (recent, items_BxK))


def _with_neighbours(learned: Blend, tables: Tables, recent: Recent, scores_SxC: Array) -> Float[Array, "S C"]:
    """The scores with those of the history's neighbours, added event by event: always in the same order."""
    rows_Sx1 = jnp.arange(len(scores_SxC))[:, None]
    shares_SxH = blend.shares(learned, recent)
    to_NxW, weights_NxW = tables.neighbours

    def add(event: Array, scores_SxC: Array) -> Array:
        items_S = recent.items_BxH[:, event]
        to_SxW = to_NxW.at[items_S].get(mode="fill", fill_value=NOTHING)
        weights_SxW = weights_NxW.at[items_S].get(mode="fill", fill_value=0.0)
        return scores_SxC.at[rows_Sx1, to_SxW].add(weights_SxW * shares_SxH[:, event, None], mode="drop")

    if not to_NxW.shape[1]:
        return scores_SxC
    events = (shares_SxH > 0).any(0)
    last = jnp.max(jnp.where(events, jnp.arange(1, len(events) + 1), 0), initial=0)
    return lax.fori_loop(0, last, add, scores_SxC)


def _sums(users_BxD: Array, vectors_CxD: Array, prior_C: Array, items_BxK: Array) -> Float[Array, "B K"]:
    # An explicit sum, so that it is the same as that of the scan.
    products_BxK = (vectors_CxD.at[items_BxK].get(mode="fill", fill_value=0.0) * users_BxD[:, None, :]).sum(-1)
    return products_BxK + prior_C.at[items_BxK].get(mode="fill", fill_value=0.0)


def _contains(sorted_BxX: Int[Array, "B X"], items_BxK: Int[Array, "B K"]) -> Bool[Array, "B K"]:
    """Whether each item is in its row's list, which ascends."""

    def contains(list_X: Array, items_K: Array) -> Array:
        at_K = jnp.searchsorted(list_X, items_K)
        return list_X.at[at_K].get(mode="fill", fill_value=-1) == items_K

    return jax.vmap(contains)(sorted_BxX, items_BxK)
