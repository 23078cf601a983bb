"""The transitions of a serving process: between slots, on the device, patched row by row."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence

import jax
import numpy as np
from jaxtyping import Int

from model.batching import pad_rows, tiles
from model.recommend import transitions
from model.recommend.programs import Programs
from model.recommend.transitions import NOTHING, Transitions

# Rows in one call of the patch.
_ROWS = 64


class Successors:
    """Each slot's strongest successors: the trained model's counts, and what was counted since."""

    def __init__(self, trained: Transitions, capacity: int, programs: Programs) -> None:
        self._trained = trained
        self._programs = programs
        self._slot_of_T = np.full(len(trained.totals_N), NOTHING, np.int32)
        self._newer: dict[int, dict[int, float]] = {}
        self._capacity = capacity
        self._stale = True
        self._by_slot = transitions.empty(capacity, self.width)  # the trained ones alone
        self._table = Transitions(*map(jax.device_put, self._by_slot))

    @property
    def width(self) -> int:
        """Successors in a row."""
        return self._trained.to_NxW.shape[1]

    @property
    def table(self) -> Transitions:
        """The transitions between slots, on the device."""
        if self._stale:
            self._build()
        return self._table

    def place(self, trained_N: Int[np.ndarray, " N"], slots_N: Int[np.ndarray, " N"], capacity: int) -> None:
        """Items now sit in these slots; `trained_N` is each one's number among the trained ones, -1 for none."""
        before_T = self._slot_of_T.copy()
        known_N = trained_N >= 0
        self._slot_of_T[trained_N[known_N]] = slots_N[known_N]
        self._stale |= capacity != self._capacity or not np.array_equal(before_T, self._slot_of_T)
        self._capacity = capacity

    def clear(self, slots_N: Int[np.ndarray, " N"]) -> None:
        """Other items are to take these slots over."""
        gone = set(slots_N.tolist())
        self._slot_of_T[np.isin(self._slot_of_T, slots_N)] = NOTHING
        self._newer = {
            slot: {to: count for to, count in row.items() if to not in gone}
            for slot, row in self._newer.items()
            if slot not in gone
        }
        self._stale = True

    def add(self, rows: Mapping[int, Mapping[int, float]]) -> None:
        """Replaces what was counted since the training for these slots: slots of successors, and their counts."""
        self._newer |= {slot: dict(row) for slot, row in rows.items()}
        if self._stale:
            return
        slots = list(rows)
        for tile in tiles(len(slots), _ROWS):
            self._patch(slots[tile])

    def warm(self) -> None:
        """Compiles what patches a row, for the present capacity."""
        if self._stale:
            self._build()
        self._patch([])

    def _patch(self, slots: Sequence[int]) -> None:
        part = transitions.empty(_ROWS, self.width)
        for n, slot in enumerate(slots):
            self._write(part, n, slot)
        slots_N = pad_rows(np.array(slots, np.int32), _ROWS, NOTHING)
        self._table = self._programs.patch_transitions(self._table, slots_N, part)

    def _build(self) -> None:
        made = transitions.empty(self._capacity, self.width)
        placed_T = self._slot_of_T != NOTHING
        slots = self._slot_of_T[placed_T]
        made.to_NxW[slots] = self._slots(self._trained.to_NxW[placed_T])
        made.counts_NxW[slots] = self._trained.counts_NxW[placed_T]
        made.totals_N[slots] = self._trained.totals_N[placed_T]
        self._by_slot = Transitions(*(column.copy() for column in made))
        for slot in self._newer:
            self._write(made, slot, slot)
        self._table = Transitions(*(jax.device_put(column, may_alias=False) for column in made))
        self._stale = False

    def _write(self, table: Transitions, row: int, slot: int) -> None:
        """Puts the trained row of a slot and what was counted since into a row of `table`."""
        newer, trained = self._newer[slot], self._by_slot
        counts = dict(zip(trained.to_NxW[slot].tolist(), trained.counts_NxW[slot].tolist(), strict=True))
        counts.pop(NOTHING, None)
        for to, count in newer.items():
            counts[to] = counts.get(to, 0.0) + count
        best = sorted(zip(counts.values(), map(operator.neg, counts), strict=True), reverse=True)[: self.width]
        table.to_NxW[row] = NOTHING
        table.counts_NxW[row] = 0.0
        table.to_NxW[row, : len(best)] = [-to for _, to in best]
        table.counts_NxW[row, : len(best)] = [count for count, _ in best]
        table.totals_N[row] = float(trained.totals_N[slot]) + sum(newer.values())

    def _slots(self, trained: Int[np.ndarray, "*S"]) -> Int[np.ndarray, "*S"]:
        """The slots of trained items; `NOTHING` for those without one."""
        return np.append(self._slot_of_T, np.int32(NOTHING))[np.minimum(trained, len(self._slot_of_T))]
