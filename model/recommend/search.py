"""The best items of the whole catalogue by final score: pure functions for use inside a jitted one."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from model.recommend import blend, topk
from model.recommend.blend import Blend, Recent, Votes
from model.recommend.transitions import Transitions

Found = tuple[Float[Array, "B K"], Int[Array, "B K"]]


def best(
    learned: Blend,
    transitions: Transitions,
    users_BxD: Float[Array, "B D"],
    recent: Recent,
    vectors_CxD: Float[Array, "C D"],
    open_C: Bool[Array, " C"],
    excluded_BxX: Int[Array, "B X"],
    *,
    k: int,
) -> Found:
    """The `k` greatest final scores of each user, descending, and their items; exact. -inf marks what may not be shown.

    A bonus is never negative, so the best are among the `k` best without it and the items that have one.
    """
    scores_BxC = jnp.exp(learned.log_gain) * (users_BxD @ vectors_CxD.T)
    scores_BxC = jnp.where(open_C[None, :], scores_BxC, -jnp.inf)
    rows_Bx1 = jnp.arange(users_BxD.shape[0])[:, None]
    scores_BxC = scores_BxC.at[rows_Bx1, excluded_BxX].set(-jnp.inf, mode="drop")
    scores_BxK, items_BxK = topk.top_k(scores_BxC, k)
    if not transitions.to_NxW.shape[1]:
        return scores_BxK, items_BxK
    given = blend.votes(learned, transitions, recent)
    voted_BxM = _distinct(given, items_BxK)
    voted_scores_BxM = scores_BxC.at[rows_Bx1, voted_BxM].get(mode="fill", fill_value=-jnp.inf)
    both_BxJ = jnp.concatenate([items_BxK, voted_BxM], 1)
    scores_BxJ = jnp.concatenate([scores_BxK, voted_scores_BxM], 1)
    scores_BxJ = scores_BxJ + blend.bonus(learned, blend.votes_at(given, both_BxJ))
    final_BxK, at_BxK = topk.top_k(scores_BxJ, k)
    return final_BxK, jnp.take_along_axis(both_BxJ, at_BxK, 1)


def at(
    learned: Blend,
    transitions: Transitions,
    users_BxD: Float[Array, "B D"],
    recent: Recent,
    vectors_CxD: Float[Array, "C D"],
    items_BxK: Int[Array, "B K"],
) -> Float[Array, "B K"]:
    """The final scores of these items alone."""
    vectors_BxKxD = vectors_CxD.at[items_BxK].get(mode="fill", fill_value=0.0)
    scores_BxK = jnp.exp(learned.log_gain) * (users_BxD[:, None, :] * vectors_BxKxD).sum(-1)
    return scores_BxK + blend.bonus(learned, blend.votes_at(blend.votes(learned, transitions, recent), items_BxK))


def _distinct(given: Votes, known_BxK: Int[Array, "B K"]) -> Int[Array, "B M"]:
    """The items voted for, each once and none that is known already; `NOTHING` in the other cells."""
    items_BxM = given.items_BxM
    known_BxM = (items_BxM[:, :, None] == known_BxK[:, None, :]).any(-1)
    places_M = jnp.arange(items_BxM.shape[1])
    earlier_MxM = places_M[None, :] < places_M[:, None]
    again_BxM = ((items_BxM[:, :, None] == items_BxM[:, None, :]) & earlier_MxM[None]).any(-1)
    return jnp.where(known_BxM | again_BxM, blend.NOTHING, items_BxM)
