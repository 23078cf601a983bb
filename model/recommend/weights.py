"""All that a trained recommender consists of, as the flat arrays that an artifact keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from model.recommend import blend, layers, transitions
from model.recommend.blend import Blend
from model.recommend.transitions import NOTHING, Transitions

_BLEND, _TRANSITIONS = "blend.", "transitions."


class Weights(NamedTuple):
    """The network's parameters, the blend, and the transitions between trained items (row t is the t-th id)."""

    network: dict[str, np.ndarray]
    blend: Blend
    transitions: Transitions


def pack(
    network: layers.Params, learned: Blend, counted: Transitions, known_T: Int[np.ndarray, " T"]
) -> dict[str, np.ndarray]:
    """One flat mapping. `counted` is between all items; `known_T` are the dense ids of the trained ones, row by row."""
    place_N = np.full(len(counted.totals_N) + 1, NOTHING, np.int32)
    place_N[known_T] = np.arange(len(known_T))
    to_TxW = place_N[np.minimum(counted.to_NxW[known_T], len(counted.totals_N))]
    kept = Transitions(to_TxW, counted.counts_NxW[known_T], counted.totals_N[known_T])
    flat = {name: np.asarray(value) for name, value in network.items()}
    flat |= {_BLEND + name: np.asarray(value) for name, value in learned._asdict().items()}
    return flat | {_TRANSITIONS + name: np.asarray(value) for name, value in kept._asdict().items()}


def unpack(params: Mapping[str, np.ndarray]) -> Weights:
    """What `pack` was given. An artifact of before there were transitions has none, and the default blend."""
    network = {name: value for name, value in params.items() if not name.startswith((_BLEND, _TRANSITIONS))}
    if f"{_BLEND}log_gain" not in params:
        ids = len(network["items.ids"]) - 1
        return Weights(network, blend.default(), transitions.empty(ids, 0))
    return Weights(
        network,
        Blend(*(jnp.asarray(params[_BLEND + name]) for name in Blend._fields)),
        Transitions(*(np.asarray(params[_TRANSITIONS + name]) for name in Transitions._fields)),
    )


def onto(trained: Transitions, known_T: Int[np.ndarray, " T"], catalogue: int) -> Transitions:
    """The transitions between trained items as those between all items, whose dense ids `known_T` are row by row."""
    place_T = np.append(known_T, NOTHING).astype(np.int32)
    made = transitions.empty(catalogue, trained.to_NxW.shape[1])
    made.to_NxW[known_T] = place_T[np.minimum(trained.to_NxW, len(known_T))]
    made.counts_NxW[known_T] = trained.counts_NxW
    made.totals_N[known_T] = trained.totals_N
    return made
