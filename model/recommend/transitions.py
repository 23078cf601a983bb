"""Transitions: a sparse table of item-to-item counts, cut to rows of one width for the device."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int, Int32

from model.recommend.events import Interactions

WINDOW = 5
"""An event follows each of this many earlier events of the same user."""

NOTHING = int(np.iinfo(np.int32).max)
"""Marks a cell without an item: beyond every catalogue, so that it reads and writes nothing."""


class Table(NamedTuple):
    """Sparse rows: item a is followed by `to_P[p]`, `count_P[p]` times, for p in `row_N[a]:row_N[a + 1]`."""

    row_N: Int[np.ndarray, " N1"]
    to_P: Int[np.ndarray, " P"]
    count_P: Float[np.ndarray, " P"]


class Transitions(NamedTuple):
    """Each item's strongest successors, and the sum of its whole row. An empty cell has the item `NOTHING`."""

    to_NxW: Int32[np.ndarray, "N W"]
    counts_NxW: Float32[np.ndarray, "N W"]
    totals_N: Float32[np.ndarray, " N"]


def count(
    events: Interactions,
    mask_E: np.ndarray,
    catalogue: int,
    *,
    window: int = WINDOW,
    gains_K: Float[np.ndarray, " K"] | None = None,
) -> Table:
    """Counts of item b within the next `window` events of a user after item a, each 1 / distance.

    `events` are ordered by user and time; only events where `mask_E` is True count. With `gains_K`, the gain of each
    kind, only events with a gain above 0 count, each times the gain of b's kind.
    """
    gains_E = np.ones(len(events.items_E)) if gains_K is None else np.asarray(gains_K)[events.kinds_E]
    kept_E = mask_E & (gains_E > 0)
    items_E, users_E, gains_E = events.items_E[kept_E].astype(np.int64), events.users_E[kept_E], gains_E[kept_E]
    keys, values = [], []
    for distance in range(1, window + 1):
        together = users_E[:-distance] == users_E[distance:]
        keys.append((items_E[:-distance] * catalogue + items_E[distance:])[together])
        values.append(gains_E[distance:][together] / distance)
    pairs_P, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    count_P = np.bincount(inverse, weights=np.concatenate(values), minlength=len(pairs_P))
    row_N = np.searchsorted(pairs_P // catalogue, np.arange(catalogue + 1))
    return Table(row_N, (pairs_P % catalogue).astype(np.int32), count_P)


def strongest(table: Table, width: int) -> Transitions:
    """The `width` strongest successors of each item, strongest first; ties by number."""
    catalogue = len(table.row_N) - 1
    rows_P = np.repeat(np.arange(catalogue), np.diff(table.row_N))
    order_P = np.lexsort((table.to_P, -table.count_P, rows_P))
    places_P = np.arange(len(order_P)) - table.row_N[rows_P]
    kept = places_P < width
    made = empty(catalogue, width)
    made.to_NxW[rows_P[kept], places_P[kept]] = table.to_P[order_P][kept]
    made.counts_NxW[rows_P[kept], places_P[kept]] = table.count_P[order_P][kept]
    made.totals_N[:] = np.bincount(rows_P, weights=table.count_P, minlength=catalogue)
    return made


def empty(catalogue: int, width: int) -> Transitions:
    """An empty table of `catalogue` items."""
    return Transitions(
        np.full((catalogue, width), NOTHING, np.int32),
        np.zeros((catalogue, width), np.float32),
        np.zeros(catalogue, np.float32),
    )
