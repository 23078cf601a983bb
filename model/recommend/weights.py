"""The parts of a trained recommender as the flat arrays of an artifact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from model.recommend import blend, neighbours, transitions
from model.recommend import network as recommend_network
from model.recommend.blend import Blend, Tables
from model.recommend.neighbours import Neighbours
from model.recommend.transitions import NOTHING, Transitions

KIND = "recommend"
_BLEND, _TRANSITIONS, _NEIGHBOURS, _FADED = "blend.", "transitions.", "neighbours.", "trend.faded"


class Weights(NamedTuple):
    """The network's parameters, the blend, the tables between trained items, and their recent popularity.

    Row t of a table is the t-th id; the popularity is that at the end of the events.
    """

    network: dict[str, np.ndarray]
    blend: Blend
    tables: Tables
    faded_T: Float[np.ndarray, " T"]


def pack(
    network: recommend_network.Params,
    learned: Blend,
    tables: Tables,
    faded_N: Float[np.ndarray, " N"],
    known_T: Int[np.ndarray, " T"],
) -> dict[str, np.ndarray]:
    """One flat mapping of all parts.

    `tables` and `faded_N` are of all items; `known_T` are the dense ids of the trained ones, row by row.
    """
    place_N = np.full(len(faded_N) + 1, NOTHING, np.int32)
    place_N[known_T] = np.arange(len(known_T))
    kept = _numbered(Tables(*(type(table)(*(column[known_T] for column in table)) for table in tables)), place_N)
    flat = {name: np.asarray(value) for name, value in network.items()}
    flat |= {_BLEND + name: np.asarray(value) for name, value in learned._asdict().items()}
    flat |= {_TRANSITIONS + name: np.asarray(value) for name, value in kept.transitions._asdict().items()}
    flat |= {_NEIGHBOURS + name: np.asarray(value) for name, value in kept.neighbours._asdict().items()}
    return flat | {_FADED: np.asarray(faded_N[known_T])}


def timeless(params: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same without recent popularity: to rank for other times."""
    return {name: np.zeros_like(value) if name == _FADED else value for name, value in params.items()}


def unpack(params: Mapping[str, np.ndarray]) -> Weights:
    """What `pack` was given. Parts that an older artifact lacks are empty, as if nothing had been learned of them."""
    parts = (_BLEND, _TRANSITIONS, _NEIGHBOURS, _FADED)
    network = {name: value for name, value in params.items() if not name.startswith(parts)}
    ids = len(network["items.ids"]) - 1
    learned = Blend(**_read(params, _BLEND, blend.default(), jnp.asarray))
    tables = Tables(
        Transitions(**_read(params, _TRANSITIONS, transitions.empty(ids, 0), np.asarray)),
        Neighbours(**_read(params, _NEIGHBOURS, neighbours.empty(ids, 0), np.asarray)),
    )
    return Weights(network, learned, tables, np.asarray(params.get(_FADED, np.zeros(ids, np.float32))))


def _read(params: Mapping[str, np.ndarray], prefix: str, default: Any, convert: Callable[[Any], Any]) -> dict[str, Any]:
    return {name: convert(params.get(prefix + name, value)) for name, value in default._asdict().items()}


def onto(trained: Tables, known_T: Int[np.ndarray, " T"], catalogue: int) -> Tables:
    """The tables between trained items as those between all items, whose dense ids `known_T` are row by row."""
    place_T = np.append(known_T, NOTHING).astype(np.int32)
    made = Tables(
        transitions.empty(catalogue, trained.transitions.to_NxW.shape[1]),
        neighbours.empty(catalogue, trained.neighbours.to_NxW.shape[1]),
    )
    for whole, part in zip(jax.tree.leaves(made), jax.tree.leaves(_numbered(trained, place_T)), strict=True):
        whole[known_T] = part
    return made


def _numbered(tables: Tables, place_T: Int[np.ndarray, " T1"]) -> Tables:
    """The tables with items numbered as `place_T` says; its last cell stands for `NOTHING`."""

    def renumbered(to_NxW: np.ndarray) -> np.ndarray:
        return place_T[np.minimum(to_NxW, len(place_T) - 1)]

    counted, near = tables
    return Tables(counted._replace(to_NxW=renumbered(counted.to_NxW)), near._replace(to_NxW=renumbered(near.to_NxW)))


def faded_onto(faded_T: Float[np.ndarray, " T"], known_T: Int[np.ndarray, " T"], catalogue: int) -> np.ndarray:
    """The recent popularity of all items; the trained ones are `known_T`, row by row."""
    faded_N = np.zeros(catalogue, np.float32)
    faded_N[known_T] = faded_T
    return faded_N
