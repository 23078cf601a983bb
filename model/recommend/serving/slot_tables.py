"""The tables of a serving process: between slots, on the device; transitions are patched row by row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain

import jax
import numpy as np
from jaxtyping import Float32, Int, Int32

from model.batching import pad_rows, tiles
from model.recommend import neighbours, transitions
from model.recommend.blend import Tables
from model.recommend.serving.compiled import Programs
from model.recommend.transitions import NOTHING, Transitions

# Rows in one call of the patch.
_ROWS = 64
_GREATEST = np.iinfo(np.int32).max


class SlotTables:
    """Each slot's neighbours, and its strongest successors: the trained model's counts, plus later counts.

    The successors are kept on the device, and also here on the host, to merge a new count of a pair into its row. The
    rows do not depend on the steps in which the counts came.
    """

    def __init__(self, trained: Tables, capacity: int, programs: Programs) -> None:
        self._trained, self._near = trained
        self._programs = programs
        self._slot_of_T = np.full(len(self._trained.totals_N), NOTHING, np.int32)
        self._newer: dict[int, dict[int, float]] = {}
        self._capacity = capacity
        self._stale = True
        self._by_slot = transitions.empty(capacity, self.width)  # only the trained ones
        self._rows = transitions.empty(capacity, self.width)
        self._tables = self._on_device()

    @property
    def width(self) -> int:
        """Successors per row."""
        return self._trained.to_NxW.shape[1]

    @property
    def tables(self) -> Tables:
        """The tables between slots, on the device."""
        if self._stale:
            self._build()
        return self._tables

    def place(self, trained_N: Int[np.ndarray, " N"], slots_N: Int[np.ndarray, " N"], capacity: int) -> None:
        """Sets which items are in these slots; `trained_N` is each one's number among the trained ones, -1 for none."""
        before_T = self._slot_of_T.copy()
        known_N = trained_N >= 0
        self._slot_of_T[trained_N[known_N]] = slots_N[known_N]
        self._stale |= capacity != self._capacity or not np.array_equal(before_T, self._slot_of_T)
        self._capacity = capacity

    def clear(self, slots_N: Int[np.ndarray, " N"]) -> None:
        """Empties these slots for other items."""
        gone = set(slots_N.tolist())
        self._slot_of_T[np.isin(self._slot_of_T, slots_N)] = NOTHING
        self._newer = {
            slot: {to: count for to, count in row.items() if to not in gone}
            for slot, row in self._newer.items()
            if slot not in gone
        }
        self._stale = True

    def add(self, rows: Mapping[int, Mapping[int, float]]) -> None:
        """Replaces the later counts of these pairs: slot -> successor slot -> count."""
        fell = set()  # in these rows, a pair that was too weak before may be among the strongest now
        for slot, row in rows.items():
            known = self._newer.setdefault(slot, {})
            if any(count < known.get(to, 0.0) for to, count in row.items()):
                fell.add(slot)
            known.update(row)
        if self._stale:
            return
        self._merge(self._rows, {slot: row for slot, row in rows.items() if slot not in fell})
        self._merge(self._by_slot, {slot: self._newer[slot] for slot in fell})
        slots = list(rows)
        for tile in tiles(len(slots), _ROWS):
            self._patch(slots[tile])

    def forget(self) -> None:
        """Keeps only the trained counts."""
        self._newer = {}
        self._stale = True

    def warm(self) -> None:
        """Compiles the patch of a row, for the current capacity."""
        if self._stale:
            self._build()
        self._patch([])

    def _patch(self, slots: Sequence[int]) -> None:
        fills = Transitions(NOTHING, 0.0, 0.0)
        part = Transitions(
            *(pad_rows(column[slots], _ROWS, fill) for column, fill in zip(self._rows, fills, strict=True))
        )
        slots_N = pad_rows(np.array(slots, np.int32), _ROWS, NOTHING)
        patched = self._programs.patch_transitions(self._tables.transitions, slots_N, part)
        self._tables = self._tables._replace(transitions=patched)

    def _build(self) -> None:
        made = transitions.empty(self._capacity, self.width)
        placed_T = self._slot_of_T != NOTHING
        slots = self._slot_of_T[placed_T]
        made.to_NxW[slots] = self._slots(self._trained.to_NxW[placed_T])
        made.counts_NxW[slots] = self._trained.counts_NxW[placed_T]
        made.totals_N[slots] = self._trained.totals_N[placed_T]
        self._by_slot = made
        self._rows = Transitions(*(column.copy() for column in made))
        self._merge(self._by_slot, self._newer)
        self._tables = self._on_device()
        self._stale = False

    def _on_device(self) -> Tables:
        placed_T = self._slot_of_T != NOTHING
        slots = self._slot_of_T[placed_T]
        near = neighbours.empty(self._capacity, self._near.to_NxW.shape[1])
        near.to_NxW[slots] = self._slots(self._near.to_NxW[placed_T])
        near.weights_NxW[slots] = self._near.weights_NxW[placed_T]
        # The rows on the host change later.
        return jax.device_put(Tables(self._rows, near), may_alias=False)  # type: ignore[no-any-return]

    def _merge(self, standing: Transitions, rows: Mapping[int, Mapping[int, float]]) -> None:
        """Merges the pairs of `rows` into the rows of `standing`: the trained count plus the later one."""
        slots = list(rows)
        for tile in tiles(len(slots), _ROWS):
            self._merge_some(standing, np.array(slots[tile], np.int32), [rows[slot] for slot in slots[tile]])

    def _merge_some(
        self, standing: Transitions, slots_R: Int[np.ndarray, " R"], rows: Sequence[Mapping[int, float]]
    ) -> None:
        lengths = list(map(len, rows))
        pairs = sum(lengths)
        row_P = np.repeat(np.arange(len(rows)), lengths)
        column_P = self.width + np.concatenate(list(map(np.arange, lengths)))
        to_P = np.fromiter(chain.from_iterable(rows), np.int32, pairs)
        count_P = np.fromiter(chain.from_iterable(row.values() for row in rows), np.float64, pairs)
        trained_PxW = self._by_slot.to_NxW[slots_R[row_P]] == to_P[:, None]
        count_P += (self._by_slot.counts_NxW[slots_R[row_P]] * trained_PxW).sum(1)

        beside = ((0, 0), (0, max(lengths)))
        to_RxM = np.pad(standing.to_NxW[slots_R], beside, constant_values=NOTHING)
        counts_RxM = np.pad(standing.counts_NxW[slots_R], beside)
        again_P, before_P = np.nonzero(to_RxM[row_P, : self.width] == to_P[:, None])
        to_RxM[row_P[again_P], before_P] = NOTHING
        counts_RxM[row_P[again_P], before_P] = 0.0
        to_RxM[row_P, column_P] = to_P
        counts_RxM[row_P, column_P] = count_P
        to_RxM, counts_RxM = _descending(to_RxM, counts_RxM)
        self._rows.to_NxW[slots_R] = to_RxM[:, : self.width]
        self._rows.counts_NxW[slots_R] = counts_RxM[:, : self.width]
        newer_R = [math.fsum(self._newer[slot].values()) for slot in slots_R.tolist()]
        self._rows.totals_N[slots_R] = self._by_slot.totals_N[slots_R] + newer_R

    def _slots(self, trained: Int[np.ndarray, "*S"]) -> Int[np.ndarray, "*S"]:
        """The slots of trained items; `NOTHING` for those without one."""
        return np.append(self._slot_of_T, np.int32(NOTHING))[np.minimum(trained, len(self._slot_of_T))]


def _descending(
    to_RxM: Int32[np.ndarray, "R M"], counts_RxM: Float32[np.ndarray, "R M"]
) -> tuple[Int32[np.ndarray, "R M"], Float32[np.ndarray, "R M"]]:
    """Each row sorted by count, greatest first, ties by number.

    Counts are never negative, so their bits sort like the numbers; count and item fit in one integer, which sorts fast.
    """
    bits_RxM = counts_RxM.view(np.int32).astype(np.int64)
    keys_RxM = np.sort(((_GREATEST - bits_RxM) << 32) | to_RxM, axis=1)
    return keys_RxM.astype(np.int32), (_GREATEST - (keys_RxM >> 32)).astype(np.int32).view(np.float32)
