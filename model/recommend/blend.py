"""The final score: the network's score, recent popularity, the history's neighbours, and what followed its last events.

score = gain x (user . item) + trend x log(1 + trend_saturation x faded) + linear x sum of neighbour weights
        + weight x log(1 + saturation x votes)

Each of the last events votes for its item's successors with recency x strength x count / (total + 1) ^ smoothing. Each
item of the history adds its neighbours' weights (`neighbours.py`) x strength, less for every event after it. `faded`
are the item's recent events (`recency_popularity.py`). A dozen numbers, learned on held-out events, weight the parts;
they are computed separately, so the sums cost the network nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jaxtyping import Array, Float, Float32, Int, Int32

from model.batching import pad_lists
from model.recommend.config import RecommendConfig
from model.recommend.events import Interactions
from model.recommend.neighbours import Neighbours
from model.recommend.split import Holdout
from model.recommend.transitions import NOTHING, Transitions

RECENT = 10
"""How many of the last events of a history vote."""

_STEPS, _RATE, _CASES = 80, 0.05, 512
# Most scores in one step of the fit: 128 MiB.
_SCORES = 2**25


class Blend(NamedTuple):
    """The learned numbers; `log_recency_R` is for the last event first."""

    log_gain: Float[Array, ""]
    log_weight: Float[Array, ""]
    log_saturation: Float[Array, ""]
    smoothing: Float[Array, ""]
    log_recency_R: Float[Array, " R"]
    trend: Float[Array, ""]
    log_trend_saturation: Float[Array, ""]
    log_linear: Float[Array, ""]
    log_decline: Float[Array, ""]


WEIGHTS = {"network": "log_gain", "transitions": "log_weight", "neighbours": "log_linear"}
"""The parts of the score, and the number that is the weight of each."""

# A part without weight: not -inf, since running means of blends are made.
_CLOSED = -20.0


class Tables(NamedTuple):
    """What the events of a history point to."""

    transitions: Transitions
    neighbours: Neighbours


class Recent(NamedTuple):
    """The last events of each history, newest first. `NOTHING` stands for no item."""

    items_BxH: Int[Array, "B H"]
    strengths_BxH: Float[Array, "B H"]


class Votes(NamedTuple):
    """The items voted for, and the votes. A cell without a vote has the item `NOTHING`."""

    items_BxM: Int[Array, "B M"]
    values_BxM: Float[Array, "B M"]


class Cases(NamedTuple):
    """Held-out cases to fit on: the user vector, the last events, the items not to be ranked, one true item."""

    users_SxD: Float32[np.ndarray, "S D"]
    recent: Recent
    excluded_SxX: Int32[np.ndarray, "S X"]  # padded with NOTHING
    truth_S: Int32[np.ndarray, " S"]


def default() -> Blend:
    """The start of the fit, and the blend without held-out cases.

    It is near what the fit found on catalogues of 12,000 to 18,000 items.
    """
    recency_R = np.array([-0.3, -0.1, -0.4, -0.8, -1.2, -1.6, -1.6, -1.7, -1.8, -2.0], np.float32)
    numbers = (jnp.float32(value) for value in (-0.4, -0.6, 3.0, 0.4))
    return Blend(
        *numbers,
        jnp.asarray(recency_R),
        trend=jnp.float32(0.0),
        log_trend_saturation=jnp.float32(0.0),
        log_linear=jnp.float32(1.0),
        log_decline=jnp.float32(-2.7),
    )


def without(blend: Blend, parts: Collection[str]) -> Blend:
    """The blend with these parts of `WEIGHTS` left out; a fit that starts here leaves them out, too."""
    return blend._replace(**{WEIGHTS[name]: jnp.float32(_CLOSED) for name in parts})


def strengths(config: RecommendConfig) -> Float32[np.ndarray, " K"]:
    """How much an event of each kind votes: the root of its weight, 1 for the strongest kind; 0 without a weight."""
    gains_K = np.maximum(np.asarray(config.kind_weights), 0.0)
    return np.sqrt(gains_K / gains_K.max()).astype(np.float32)


def recent_of(
    items_BxL: Int[Array, "B L"], strengths_BxL: Float[Array, "B L"], ends_B: Int[Array, " B"], *, width: int
) -> Recent:
    """The `width` cells up to `ends_B` (inclusive) of each row, newest first."""
    at_BxH = ends_B[:, None] - jnp.arange(width)[None, :]
    inside_BxH = at_BxH >= 0
    at_BxH = jnp.maximum(at_BxH, 0)
    strengths_BxH = jnp.where(inside_BxH, jnp.take_along_axis(strengths_BxL, at_BxH, 1), 0.0)
    items_BxH = jnp.take_along_axis(items_BxL, at_BxH, 1)
    return Recent(jnp.where(strengths_BxH > 0, items_BxH, NOTHING), strengths_BxH)


def recent_of_holdout(events: Interactions, holdout: Holdout, config: RecommendConfig) -> Recent:
    """The last events before each held-out basket."""
    strengths_K = strengths(config)
    spans = [slice(max(s, e - config.history), e) for s, e in zip(holdout.start_S, holdout.end_S, strict=True)]
    shape = {"rows": len(spans), "width": config.history}
    items_SxH = pad_lists([events.items_E[span][::-1] for span in spans], **shape, fill=NOTHING, dtype=np.int32)
    strengths_SxH = pad_lists(
        [strengths_K[events.kinds_E[span]][::-1] for span in spans], **shape, fill=0.0, dtype=np.float32
    )
    return Recent(np.where(strengths_SxH > 0, items_SxH, NOTHING), strengths_SxH)


def votes(blend: Blend, transitions: Transitions, recent: Recent) -> Votes:
    """Every vote of the last `RECENT` events, M = R x W of them in the order of the events."""
    rows_BxR = recent.items_BxH[:, :RECENT]
    to_BxRxW = jnp.asarray(transitions.to_NxW).at[rows_BxR].get(mode="fill", fill_value=NOTHING)
    counts_BxRxW = jnp.asarray(transitions.counts_NxW).at[rows_BxR].get(mode="fill", fill_value=0.0)
    totals_BxR = jnp.asarray(transitions.totals_N).at[rows_BxR].get(mode="fill", fill_value=0.0)
    recency_R = jnp.exp(blend.log_recency_R)[: rows_BxR.shape[1]]
    per_count_BxR = recency_R[None] * recent.strengths_BxH[:, :RECENT] / (totals_BxR + 1.0) ** blend.smoothing
    batch = rows_BxR.shape[0]
    return Votes(to_BxRxW.reshape(batch, -1), (counts_BxRxW * per_count_BxR[..., None]).reshape(batch, -1))


def summed(given: Votes, items: int) -> Votes:
    """Each item with votes once, ascending, with the sum of its votes in the order in which they were given.

    The cells of further votes for an item repeat it with the value 0. `items` is the number of items.
    """
    items_BxM, values_BxM = _by_item(given, items)
    again_BxM = jnp.pad(items_BxM[:, 1:] == items_BxM[:, :-1], ((0, 0), (1, 0)))
    sums_BxM = values_BxM
    for later in range(1, min(RECENT, items_BxM.shape[1])):  # an event votes for an item at most once
        same_BxN = items_BxM[:, later:] == items_BxM[:, :-later]
        sums_BxM += jnp.pad(jnp.where(same_BxN, values_BxM[:, later:], 0.0), ((0, 0), (0, later)))
    return Votes(items_BxM, jnp.where(again_BxM, 0.0, sums_BxM))


def _by_item(given: Votes, items: int) -> tuple[Array, Array]:
    """The votes sorted by item; those for one item in the given order."""
    places = given.items_BxM.shape[1]
    bits = max(places - 1, 1).bit_length()
    if (items + 1) << bits > NOTHING:
        sorted_BxM, values_BxM = lax.sort((given.items_BxM, given.values_BxM), num_keys=1, is_stable=True)
        return sorted_BxM, values_BxM
    # Position and item are one number, since sorting one array takes a seventh of the time.
    keys_BxM = (jnp.minimum(given.items_BxM, items) << bits) + jnp.arange(places)[None, :]
    keys_BxM = lax.sort(keys_BxM, is_stable=False)
    items_BxM = keys_BxM >> bits
    values_BxM = jnp.take_along_axis(given.values_BxM, keys_BxM & ((1 << bits) - 1), 1)
    return jnp.where(items_BxM == items, NOTHING, items_BxM), values_BxM


def votes_at(given: Votes, items_BxK: Int[Array, "B K"]) -> Float[Array, "B K"]:
    """The sums of the votes for these items, from votes that were `summed`."""

    if not given.items_BxM.shape[1]:
        return jnp.zeros(items_BxK.shape, jnp.float32)

    def lookup(items_M: Array, values_M: Array, items_K: Array) -> Array:
        at_K = jnp.searchsorted(items_M, items_K)
        found_K = items_M.at[at_K].get(mode="fill", fill_value=NOTHING) == items_K
        return jnp.where(found_K, values_M.at[at_K].get(mode="fill", fill_value=0.0), 0.0)

    return jax.vmap(lookup)(given.items_BxM, given.values_BxM, items_BxK)


def bonus(blend: Blend, votes_BxK: Float[Array, "B K"]) -> Float[Array, "B K"]:
    """What votes add to a score; never negative."""
    return jnp.exp(blend.log_weight) * jnp.log1p(jnp.exp(blend.log_saturation) * votes_BxK)


def shares(blend: Blend, recent: Recent) -> Float[Array, "B H"]:
    """What the neighbours' weights of each event's item are multiplied by; 0 if a later event has the same item."""
    items_BxH = recent.items_BxH
    later_HxH = jnp.tri(items_BxH.shape[1], k=-1, dtype=bool)
    again_BxH = ((items_BxH[:, :, None] == items_BxH[:, None, :]) & later_HxH[None]).any(2)
    events_H = jnp.arange(items_BxH.shape[1], dtype=jnp.float32)
    fading_H = jnp.exp(blend.log_linear - jnp.exp(blend.log_decline) * events_H)
    return jnp.where(again_BxH, 0.0, fading_H[None] * recent.strengths_BxH)


def near_by(blend: Blend, neighbours: Neighbours, recent: Recent) -> Votes:
    """What each event's item adds to the scores of its neighbours, M = H x W of them in the order of the events."""
    to_BxHxW = jnp.asarray(neighbours.to_NxW).at[recent.items_BxH].get(mode="fill", fill_value=NOTHING)
    weights_BxHxW = jnp.asarray(neighbours.weights_NxW).at[recent.items_BxH].get(mode="fill", fill_value=0.0)
    batch = to_BxHxW.shape[0]
    added_BxHxW = weights_BxHxW * shares(blend, recent)[..., None]
    return Votes(to_BxHxW.reshape(batch, -1), added_BxHxW.reshape(batch, -1))


def prior(blend: Blend, faded_N: Float[Array, " N"]) -> Float[Array, " N"]:
    """What recent popularity adds to every user's score of each item."""
    return blend.trend * jnp.log1p(jnp.exp(blend.log_trend_saturation) * faded_N)


def scores(
    blend: Blend,
    tables: Tables,
    users_BxD: Float[Array, "B D"],
    items_NxD: Array,
    recent: Recent,
    faded_N: Float[Array, " N"],
) -> Float[Array, "B N"]:
    """The final scores of all items; for training and checks, since it holds all B x N of them."""
    given = votes(blend, tables.transitions, recent)
    rows_Bx1 = jnp.arange(users_BxD.shape[0])[:, None]
    votes_BxN = jnp.zeros((users_BxD.shape[0], items_NxD.shape[0]))
    votes_BxN = votes_BxN.at[rows_Bx1, given.items_BxM].add(given.values_BxM, mode="drop")
    scores_BxN = jnp.exp(blend.log_gain) * (users_BxD @ items_NxD.T) + prior(blend, faded_N)[None]
    near = near_by(blend, tables.neighbours, recent)
    scores_BxN = scores_BxN.at[rows_Bx1, near.items_BxM].add(near.values_BxM, mode="drop")
    return scores_BxN + bonus(blend, votes_BxN)


def fit(
    tables: Tables,
    items_NxD: Array,
    faded_N: Array,
    cases: Cases,
    *,
    seed: int,
    start: Blend | None = None,
) -> Blend:
    """The blend with the least cross-entropy of the true items among all items that may be ranked, by Adam.

    The cases must be held out from the tables, the network and recent popularity.
    """
    blend = default() if start is None else start
    if not len(cases.truth_S):
        return blend
    batch = int(np.clip(_SCORES // len(items_NxD), 8, _CASES))
    transform = optax.adam(optax.cosine_decay_schedule(_RATE, _STEPS))
    state = transform.init(blend)
    random = np.random.default_rng(seed)
    for _ in range(_STEPS):
        chosen = random.choice(len(cases.truth_S), batch)
        part = Cases(
            cases.users_SxD[chosen],
            Recent(*(column[chosen] for column in cases.recent)),
            cases.excluded_SxX[chosen],
            cases.truth_S[chosen],
        )
        gradient = _gradient(blend, tables, items_NxD, faded_N, part)
        with jax.numpy_dtype_promotion("standard"):
            updates, state = transform.update(gradient, state)
        blend = optax.apply_updates(blend, updates)
    return blend


def _loss(blend: Blend, tables: Tables, items_NxD: Array, faded_N: Array, cases: Cases) -> Float[Array, ""]:
    scores_BxN = scores(blend, tables, cases.users_SxD, items_NxD, cases.recent, faded_N)
    rows_Bx1 = jnp.arange(len(cases.truth_S))[:, None]
    scores_BxN = scores_BxN.at[rows_Bx1, cases.excluded_SxX].set(-jnp.inf, mode="drop")
    true_B = jnp.take_along_axis(scores_BxN, cases.truth_S[:, None], 1)[:, 0]
    return (jax.nn.logsumexp(scores_BxN, 1) - true_B).mean()


_gradient = jax.jit(jax.grad(_loss))
