"""The parts of a trained recommender as the flat arrays of an artifact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from model.recommend import blend, transitions
from model.recommend import network as recommend_network
from model.recommend.blend import Blend
from model.recommend.transitions import NOTHING, Transitions

KIND = "recommend"
_BLEND, _TRANSITIONS, _FADED = "blend.", "transitions.", "trend.faded"


class Weights(NamedTuple):
    """The network's parameters, the blend, the transitions between trained items, and their recent popularity.

    Row t of the transitions is the t-th id; the popularity is that at the end of the events.
    """

    network: dict[str, np.ndarray]
    blend: Blend
    transitions: Transitions
    faded_T: Float[np.ndarray, " T"]


def pack(
    network: recommend_network.Params,
    learned: Blend,
    counted: Transitions,
    faded_N: Float[np.ndarray, " N"],
    known_T: Int[np.ndarray, " T"],
) -> dict[str, np.ndarray]:
    """One flat mapping of all parts.

    `counted` and `faded_N` are of all items; `known_T` are the dense ids of the trained ones, row by row.
    """
    place_N = np.full(len(counted.totals_N) + 1, NOTHING, np.int32)
    place_N[known_T] = np.arange(len(known_T))
    to_TxW = place_N[np.minimum(counted.to_NxW[known_T], len(counted.totals_N))]
    kept = Transitions(to_TxW, counted.counts_NxW[known_T], counted.totals_N[known_T])
    flat = {name: np.asarray(value) for name, value in network.items()}
    flat |= {_BLEND + name: np.asarray(value) for name, value in learned._asdict().items()}
    flat |= {_TRANSITIONS + name: np.asarray(value) for name, value in kept._asdict().items()}
    return flat | {_FADED: np.asarray(faded_N[known_T])}


def timeless(params: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same without recent popularity: to rank for other times."""
    return {name: np.zeros_like(value) if name == _FADED else value for name, value in params.items()}


def unpack(params: Mapping[str, np.ndarray]) -> Weights:
    """What `pack` was given. Parts that an older artifact lacks are empty, as if nothing had been counted."""
    parts = (_BLEND, _TRANSITIONS, _FADED)
    network = {name: value for name, value in params.items() if not name.startswith(parts)}
    ids = len(network["items.ids"]) - 1
    default = blend.default()._asdict()
    learned = Blend(**{name: jnp.asarray(params.get(_BLEND + name, value)) for name, value in default.items()})
    nothing = transitions.empty(ids, 0)._asdict()
    counted = Transitions(
        **{name: np.asarray(params.get(_TRANSITIONS + name, value)) for name, value in nothing.items()}
    )
    return Weights(
        network, learned, counted, np.asarray(params.get(_FADED, np.zeros(len(counted.totals_N), np.float32)))
    )


def onto(trained: Transitions, known_T: Int[np.ndarray, " T"], catalogue: int) -> Transitions:
    """The transitions between trained items as those between all items, whose dense ids `known_T` are row by row."""
    place_T = np.append(known_T, NOTHING).astype(np.int32)
    made = transitions.empty(catalogue, trained.to_NxW.shape[1])
    made.to_NxW[known_T] = place_T[np.minimum(trained.to_NxW, len(known_T))]
    made.counts_NxW[known_T] = trained.counts_NxW
    made.totals_N[known_T] = trained.totals_N
    return made


def faded_onto(faded_T: Float[np.ndarray, " T"], known_T: Int[np.ndarray, " T"], catalogue: int) -> np.ndarray:
    """The recent popularity of all items; the trained ones are `known_T`, row by row."""
    faded_N = np.zeros(catalogue, np.float32)
    faded_N[known_T] = faded_T
    return faded_N
