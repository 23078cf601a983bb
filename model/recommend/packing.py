"""Packing: histories of many lengths in rows of one length, with little padding."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32

from model.recommend.config import RecommendConfig
from model.recommend.events import Interactions


class Rows(NamedTuple):
    """Packed histories: one start cell (kind -1, item 0), then the events. Padding is segment 0, which has kind -1.

    A cell predicts what its user does at the next time: one of the `choices_RxL` cells (0: none) that start `ahead_RxL`
    columns to the right. If every event has its own time, that is the next cell; each item of a basket predicts the
    items of the next basket, never those of its own, which are never asked for.
    """

    items_RxL: Int32[np.ndarray, "R L"]
    kinds_RxL: Int32[np.ndarray, "R L"]
    seconds_RxL: Float32[np.ndarray, "R L"]  # relative to the history's last event
    segments_RxL: Int32[np.ndarray, "R L"]
    gains_RxL: Float32[np.ndarray, "R L"]  # how much predicting this cell's event is worth
    ahead_RxL: Int32[np.ndarray, "R L"]
    choices_RxL: Int32[np.ndarray, "R L"]


class Packed(NamedTuple):
    """The rows, and the position of each history's last cell in them."""

    rows: Rows
    row_S: Int32[np.ndarray, " S"]
    column_S: Int32[np.ndarray, " S"]


def pack(
    events: Interactions,
    start_S: np.ndarray,
    end_S: np.ndarray,
    config: RecommendConfig,
    *,
    multiple: int = 1,
    begins_S: np.ndarray | None = None,
    learn_E: np.ndarray | None = None,
) -> Packed:
    """Packs the histories `start_S[s]:end_S[s]` of ordered events, each at most `config.history` long.

    The number of rows is a multiple of `multiple`. `begins_S` is False if a history is the middle of a longer one,
    whose first event the start cell must not predict. Events where `learn_E` is False are not predicted: they are
    context for later ones.
    """
    row_S, offset_S, count = _first_fit(end_S - start_S + 1, config.row)
    count = max(-(-count // multiple), 1) * multiple
    rows = _empty(count, config.row)
    gains_K = np.maximum(np.asarray(config.kind_weights), 0.0).astype(np.float32)
    gains_E = gains_K[events.kinds_E] if learn_E is None else np.where(learn_E, gains_K[events.kinds_E], np.float32(0))
    ends_E = _moment_ends(events)
    for s, (start, end, row, offset) in enumerate(zip(start_S, end_S, row_S, offset_S, strict=True)):
        cells = slice(offset + 1, offset + 1 + end - start)
        rows.items_RxL[row, cells] = events.items_E[start:end]
        rows.kinds_RxL[row, cells] = events.kinds_E[start:end]
        rows.segments_RxL[row, offset : cells.stop] = s + 1
        if end > start:
            ages = events.at_E[start:end] - events.at_E[end - 1]
            rows.seconds_RxL[row, offset], rows.seconds_RxL[row, cells] = ages[0], ages
            rows.gains_RxL[row, cells] = gains_E[start:end]
            next_L = np.append(start, ends_E[start:end])
            stop_L = np.minimum(ends_E[np.minimum(next_L, len(ends_E) - 1)], end)
            rows.ahead_RxL[row, offset : cells.stop] = next_L - np.arange(start - 1, end)
            rows.choices_RxL[row, offset : cells.stop] = np.where(next_L < end, stop_L - next_L, 0)
            if begins_S is not None and not begins_S[s]:
                rows.choices_RxL[row, offset] = 0
    return Packed(rows, row_S, (offset_S + end_S - start_S).astype(np.int32))


def padded(rows: Rows, count: int) -> Rows:
    """`rows` followed by empty ones, which predict nothing, up to `count` in all."""
    empty = _empty(count - len(rows.items_RxL), rows.items_RxL.shape[1])
    return Rows(*(np.concatenate(columns) for columns in zip(rows, empty, strict=True)))


def windows(start_U: np.ndarray, end_U: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Splits each range into pieces of at most `length`, full ones last: starts, ends, and which ones begin a range."""
    starts, ends, begins = [], [], []
    for start, end in zip(start_U.tolist(), end_U.tolist(), strict=True):
        while end > start:
            cut = max(start, end - length)
            starts.append(cut)
            ends.append(end)
            begins.append(cut == start)
            end = cut
    return np.array(starts, np.int64), np.array(ends, np.int64), np.array(begins, bool)


def _moment_ends(events: Interactions) -> np.ndarray:
    """Where the events of each event's user and time end."""
    new_E = (np.diff(events.users_E) != 0) | (np.diff(events.at_E) != 0)
    starts_G = np.append(np.flatnonzero(new_E) + 1, len(events.users_E))
    return starts_G[np.searchsorted(starts_G, np.arange(len(events.users_E)), "right")]


def _first_fit(cells_S: np.ndarray, row: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Assigns lengths, longest first, to the fullest open row that still has room."""
    row_S, offset_S = np.zeros(len(cells_S), np.int32), np.zeros(len(cells_S), np.int32)
    room: list[list[int]] = [[] for _ in range(row + 1)]
    count = 0
    for s in np.argsort(-cells_S, kind="stable").tolist():
        cells = int(cells_S[s])
        left = next((free for free in range(cells, row + 1) if room[free]), None)
        if left is None:
            left, into = row, count
            count += 1
        else:
            into = room[left].pop()
        row_S[s], offset_S[s] = into, row - left
        room[left - cells].append(into)
    return row_S, offset_S, count


def _empty(count: int, row: int) -> Rows:
    shape = (count, row)
    return Rows(
        items_RxL=np.zeros(shape, np.int32),
        kinds_RxL=np.full(shape, -1, np.int32),
        seconds_RxL=np.zeros(shape, np.float32),
        segments_RxL=np.zeros(shape, np.int32),
        gains_RxL=np.zeros(shape, np.float32),
        ahead_RxL=np.zeros(shape, np.int32),
        choices_RxL=np.zeros(shape, np.int32),
    )
