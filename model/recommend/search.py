"""The best items of the whole catalogue by final score: pure functions for use inside a jitted one."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from model.recommend import blend, retrieval, topk
from model.recommend.blend import Blend, Recent, Votes
from model.recommend.transitions import Transitions

Found = tuple[Float[Array, "B K"], Int[Array, "B K"]]

MOST_SCANNED_PAST = 64
"""A user with more excluded items than this has all scores computed."""

# Scores held at once, and the users whose scores they are, where the catalogue is large.
_SCORES_AT_ONCE = 2**25
_FEW = 8


def best(
    learned: Blend,
    transitions: Transitions,
    users_BxD: Float[Array, "B D"],
    recent: Recent,
    vectors_CxD: Float[Array, "C D"],
    faded_C: Float[Array, " C"],
    open_C: Bool[Array, " C"],
    excluded_BxX: Int[Array, "B X"],  # ascending in each row
    *,
    k: int,
) -> Found:
    """The `k` greatest final scores of each user, descending, and their items; exact. -inf marks what may not be shown.

    A bonus is never negative, so the best are among the `k` best without it and the items that have one.
    """
    users_BxD = jnp.exp(learned.log_gain) * users_BxD
    prior_C = blend.prior(learned, faded_C)
    by_network = _scanned if scans(vectors_CxD.shape[0], k, excluded_BxX.shape[1]) else _by_all_scores
    scores_BxK, items_BxK = by_network(users_BxD, vectors_CxD, prior_C, open_C, excluded_BxX, k)
    if not transitions.to_NxW.shape[1]:
        return scores_BxK, items_BxK
    given = blend.votes(learned, transitions, recent)
    voted_BxM = _distinct(given, items_BxK)
    shown_BxM = open_C.at[voted_BxM].get(mode="fill", fill_value=False) & ~_contains(excluded_BxX, voted_BxM)
    voted_scores_BxM = jnp.where(shown_BxM, _sums(users_BxD, vectors_CxD, prior_C, voted_BxM), -jnp.inf)
    both_BxJ = jnp.concatenate([items_BxK, voted_BxM], 1)
    scores_BxJ = jnp.concatenate([scores_BxK, voted_scores_BxM], 1)
    scores_BxJ = scores_BxJ + blend.bonus(learned, blend.votes_at(given, both_BxJ))
    final_BxK, at_BxK = topk.top_k(scores_BxJ, k)
    return final_BxK, jnp.take_along_axis(both_BxJ, at_BxK, 1)


def most_probable(
    learned: Blend,
    transitions: Transitions,
    users_BxD: Float[Array, "B D"],
    recent: Recent,
    vectors_CxD: Float[Array, "C D"],
    faded_C: Float[Array, " C"],
    open_C: Bool[Array, " C"],
    excluded_BxX: Int[Array, "B X"],
    *,
    k: int,
) -> Found:
    """The `k` items of the greatest probability for each user and its logarithm, descending.

    Softmax of the final scores over all that may be shown: what the blend was fitted by. -inf or nan marks what may
    not be shown. All scores are computed, those of eight users at a time.
    """

    def of(part: tuple[Array, Array, Array, Array]) -> Found:
        users, items, strengths, excluded = part
        scores_SxC = blend.scores(learned, transitions, users, vectors_CxD, Recent(items, strengths), faded_C)
        scores_SxC = jnp.where(open_C[None, :], scores_SxC, -jnp.inf)
        scores_SxC = scores_SxC.at[jnp.arange(len(users))[:, None], excluded].set(-jnp.inf, mode="drop")
        scores_SxK, items_SxK = topk.top_k(scores_SxC, k)
        return scores_SxK - jax.nn.logsumexp(scores_SxC, 1, keepdims=True), items_SxK

    rows = users_BxD.shape[0]
    at_once = rows if rows % _FEW else _FEW
    parts = (users_BxD, *recent, excluded_BxX)
    logs, items = lax.map(of, tuple(array.reshape(rows // at_once, at_once, -1) for array in parts))
    return logs.reshape(rows, k), items.reshape(rows, k)


def scans(items: int, k: int, excluded: int) -> bool:
    """Whether a catalogue of so many rows is scanned block by block, without keeping all scores."""
    return excluded <= MOST_SCANNED_PAST and retrieval.chunked(items, k + excluded)


def at(
    learned: Blend,
    transitions: Transitions,
    users_BxD: Float[Array, "B D"],
    recent: Recent,
    vectors_CxD: Float[Array, "C D"],
    faded_C: Float[Array, " C"],
    items_BxK: Int[Array, "B K"],
) -> Float[Array, "B K"]:
    """The final scores of these items alone."""
    prior_C = blend.prior(learned, faded_C)
    scores_BxK = _sums(jnp.exp(learned.log_gain) * users_BxD, vectors_CxD, prior_C, items_BxK)
    return scores_BxK + blend.bonus(learned, blend.votes_at(blend.votes(learned, transitions, recent), items_BxK))


def _scanned(users_BxD: Array, vectors_CxD: Array, prior_C: Array, open_C: Array, excluded_BxX: Array, k: int) -> Found:
    """The best by inner product and prior: as many more are found as may be excluded."""
    scores_BxJ, items_BxJ = retrieval.top_k(users_BxD, vectors_CxD, open_C, k + excluded_BxX.shape[1], prior_C=prior_C)
    scores_BxJ = jnp.where(_contains(excluded_BxX, items_BxJ), -jnp.inf, scores_BxJ)
    scores_BxK, at_BxK = topk.top_k(scores_BxJ, k)
    return scores_BxK, jnp.take_along_axis(items_BxJ, at_BxK, 1)


def _by_all_scores(
    users_BxD: Array, vectors_CxD: Array, prior_C: Array, open_C: Array, excluded_BxX: Array, k: int
) -> Found:
    """The same from all scores, a few users at a time: for small catalogues, and for many excluded items."""

    def of(part: tuple[Array, Array]) -> Found:
        users, excluded = part
        scores_SxC = jnp.where(open_C[None, :], users @ vectors_CxD.T + prior_C[None, :], -jnp.inf)
        scores_SxC = scores_SxC.at[jnp.arange(len(users))[:, None], excluded].set(-jnp.inf, mode="drop")
        return topk.top_k(scores_SxC, k)

    rows = users_BxD.shape[0]
    at_once = rows if rows * vectors_CxD.shape[0] <= _SCORES_AT_ONCE or rows % _FEW else _FEW
    parts = tuple(array.reshape(rows // at_once, at_once, -1) for array in (users_BxD, excluded_BxX))
    scores, items = lax.map(of, parts)
    return scores.reshape(rows, k), items.reshape(rows, k)


def _sums(users_BxD: Array, vectors_CxD: Array, prior_C: Array, items_BxK: Array) -> Float[Array, "B K"]:
    # Spelt out, so that the sum is the same as that of the scan.
    products_BxK = (vectors_CxD.at[items_BxK].get(mode="fill", fill_value=0.0) * users_BxD[:, None, :]).sum(-1)
    return products_BxK + prior_C.at[items_BxK].get(mode="fill", fill_value=0.0)


def _contains(sorted_BxX: Int[Array, "B X"], items_BxK: Int[Array, "B K"]) -> Bool[Array, "B K"]:
    """Whether each item is in its row's list, which ascends."""

    def of(list_X: Array, items_K: Array) -> Array:
        at_K = jnp.searchsorted(list_X, items_K)
        return list_X.at[at_K].get(mode="fill", fill_value=-1) == items_K

    return jax.vmap(of)(sorted_BxX, items_BxK)


def _distinct(given: Votes, known_BxK: Int[Array, "B K"]) -> Int[Array, "B M"]:
    """The items voted for, each once and none that is known already; `NOTHING` in the other cells."""
    items_BxM = given.items_BxM
    known_BxM = (items_BxM[:, :, None] == known_BxK[:, None, :]).any(-1)
    places_M = jnp.arange(items_BxM.shape[1])
    earlier_MxM = places_M[None, :] < places_M[:, None]
    again_BxM = ((items_BxM[:, :, None] == items_BxM[:, None, :]) & earlier_MxM[None]).any(-1)
    return jnp.where(known_BxM | again_BxM, blend.NOTHING, items_BxM)
