"""Neighbours: a linear item-item model over whole histories, cut to rows of one width for the device.

An item's score is the sum of weights from the items of a history to it. They are a ridge regression of who touched the
item on who touched the items most like it (SLIM: Ning and Karypis 2011, ICDM; only squares are penalised, as in EASE:
Steck 2019, WWW). A regression shares out what a count gives to each item of a history in full.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int32
from scipy import sparse

from model.recommend.events import Interactions
from model.recommend.transitions import NOTHING

RIDGE = 100.0
"""Penalty of squared weights, in users."""

_REGRESSED = 100
"""An item is regressed on so many others at most: those with the greatest cosine."""

# Pairs of items in all histories: a gigabyte at most. Other users are left out at random.
_MOST_PAIRS = 50_000_000
# The items with the most users get weights: others are known by their content.
_MOST_ITEMS = 100_000
# Items of one history.
_LONGEST = 1_000


class Neighbours(NamedTuple):
    """The strongest weights from each item to others, greatest first, all positive. An empty cell has `NOTHING`."""

    to_NxW: Int32[np.ndarray, "N W"]
    weights_NxW: Float32[np.ndarray, "N W"]


def empty(catalogue: int, width: int) -> Neighbours:
    """A table of `catalogue` items without weights."""
    return Neighbours(np.full((catalogue, width), NOTHING, np.int32), np.zeros((catalogue, width), np.float32))


def fit(
    events: Interactions,
    mask_E: Bool[np.ndarray, " E"],
    catalogue: int,
    *,
    width: int,
    strengths_K: Float[np.ndarray, " K"] | None = None,
    ridge: float = RIDGE,
    seed: int = 0,
) -> Neighbours:
    """The `width` strongest weights of each item, from the events where `mask_E` is True.

    `events` are ordered by user and time. With `strengths_K`, the strength of each kind, a user touched an item by the
    strongest of the user's events on it, 0 for not at all; otherwise by 1.
    """
    touched = _touched(events, mask_E, catalogue, strengths_K, seed)
    if not width or not touched.nnz:
        return empty(catalogue, width)
    gram = sparse.csr_array(touched.T @ touched)
    users_N = np.diff(touched.tocsc().indptr)
    regressed = np.argsort(-users_N, kind="stable")[: min(_MOST_ITEMS, int((users_N > 1).sum()))]
    found = list(_regressions(gram, regressed, ridge))
    if not found:
        return empty(catalogue, width)
    from_P, to_P, weight_P = map(np.concatenate, zip(*found, strict=True))
    return _strongest(from_P, to_P, weight_P, catalogue, width)


def _touched(
    events: Interactions,
    mask_E: np.ndarray,
    catalogue: int,
    strengths_K: np.ndarray | None,
    seed: int,
) -> sparse.csr_array:
    """Users by items: how strongly each user touched each item."""
    strengths_E = np.ones(len(events.items_E)) if strengths_K is None else np.asarray(strengths_K)[events.kinds_E]
    kept_E = mask_E & (strengths_E > 0)
    users_E = np.unique(events.users_E[kept_E], return_inverse=True)[1]
    kept_E[kept_E] = _affordable(users_E, seed)
    users_E = np.unique(events.users_E[kept_E], return_inverse=True)[1]
    keys, places = np.unique(users_E.astype(np.int64) * catalogue + events.items_E[kept_E], return_inverse=True)
    strengths = np.zeros(len(keys))
    np.maximum.at(strengths, places, strengths_E[kept_E])
    shape = (int(users_E.max(initial=-1)) + 1, catalogue)
    return sparse.csr_array((strengths, (keys // catalogue, keys % catalogue)), shape=shape)


def _affordable(users_E: np.ndarray, seed: int) -> Bool[np.ndarray, " E"]:
    """The last `_LONGEST` events of as many users as make `_MOST_PAIRS` pairs; `users_E` are numbers that ascend."""
    counts_U = np.bincount(users_E)
    ends_U = np.cumsum(counts_U)
    recent_E = ends_U[users_E] - np.arange(len(users_E)) <= _LONGEST
    order_U = np.random.default_rng(seed).permutation(len(counts_U))
    pairs_U = np.cumsum(np.minimum(counts_U[order_U], _LONGEST).astype(np.float64) ** 2)
    chosen_U = np.zeros(len(counts_U), bool)
    chosen_U[order_U[pairs_U <= _MOST_PAIRS]] = True
    return recent_E & chosen_U[users_E]


def _regressions(
    gram: sparse.csr_array, items: np.ndarray, ridge: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For each of the items: the items it is regressed on, itself repeated, and the weights."""
    squares_N = gram.diagonal()
    for item in items.tolist():
        row = slice(gram.indptr[item], gram.indptr[item + 1])
        others, together = gram.indices[row], gram.data[row]
        others, together = others[others != item], together[others != item]
        if len(others) > _REGRESSED:
            nearest = np.argpartition(-together / np.sqrt(squares_N[others] + ridge), _REGRESSED)[:_REGRESSED]
            others, together = others[nearest], together[nearest]
        if not len(others):
            continue
        between = gram[others][:, others].toarray()
        np.fill_diagonal(between, between.diagonal() + ridge)
        yield others, np.full(len(others), item), np.linalg.solve(between, together)


def _strongest(from_P: np.ndarray, to_P: np.ndarray, weight_P: np.ndarray, catalogue: int, width: int) -> Neighbours:
    """The table of the greatest positive weights from each item; ties by number."""
    positive = weight_P > 0
    from_P, to_P, weight_P = from_P[positive], to_P[positive], weight_P[positive]
    order_P = np.lexsort((to_P, -weight_P, from_P))
    from_P, to_P, weight_P = from_P[order_P], to_P[order_P], weight_P[order_P]
    place_P = np.arange(len(from_P)) - np.searchsorted(from_P, from_P)
    kept = place_P < width
    made = empty(catalogue, width)
    made.to_NxW[from_P[kept], place_P[kept]] = to_P[kept]
    made.weights_NxW[from_P[kept], place_P[kept]] = weight_P[kept]
    return made
