"""Which item is in which row (slot) of the matrix, and what is known of each item; kept on the host."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Int32

from model.batching import power_of_two

LEAST_CAPACITY = 1024


class Catalogue:
    """Slots of items. A removed item keeps its slot, since histories may contain it.

    Slots are reused, the oldest removal first, once no unused slot is left.
    """

    def __init__(self, expected_items: int = 0) -> None:
        self.capacity = power_of_two(int(np.ceil(1.25 * expected_items)), least=LEAST_CAPACITY)
        self.slots: dict[str, int] = {}
        self.ids_C = np.full(self.capacity, None, object)
        self.open_C = np.zeros(self.capacity, bool)
        self.categories_C = np.zeros(self.capacity, np.int32)
        self.faded_C = np.zeros(self.capacity, np.float32)
        self.reused: list[int] = []  # slots that got another item since this list was last emptied
        self._fresh = 0
        self._removed: dict[str, None] = {}

    def place(self, item_ids: Sequence[str]) -> Int32[np.ndarray, " N"]:
        """The slot of each of the distinct `item_ids`; a new one if an item had none.

        The capacity doubles if necessary; the caller compares it before and after.
        """
        for item_id in item_ids:
            self._removed.pop(item_id, None)
        for item_id in item_ids:
            if item_id not in self.slots:
                slot = self._free_slot()
                self.slots[item_id], self.ids_C[slot] = slot, item_id
        return self.find(item_ids)

    def find(self, item_ids: Iterable[str]) -> Int32[np.ndarray, " N"]:
        """The slot of each item that has one; the others are left out."""
        slots = self.slots
        return np.array([slots[item_id] for item_id in item_ids if item_id in slots], np.int32)

    def remove(self, item_ids: Iterable[str]) -> None:
        """Closes these items' slots; ids without a slot are ignored."""
        for item_id in item_ids:
            if item_id in self.slots:
                self.open_C[self.slots[item_id]] = False
                self._removed[item_id] = None

    def _free_slot(self) -> int:
        if self._fresh == self.capacity and self._removed:
            oldest = next(iter(self._removed))
            del self._removed[oldest]
            self.reused.append(self.slots.pop(oldest))
            return self.reused[-1]
        if self._fresh == self.capacity:
            self._grow()
        self._fresh += 1
        return self._fresh - 1

    def _grow(self) -> None:
        added = self.capacity
        self.capacity += added
        self.ids_C = np.concatenate([self.ids_C, np.full(added, None, object)])
        self.open_C = np.concatenate([self.open_C, np.zeros(added, bool)])
        self.categories_C = np.concatenate([self.categories_C, np.zeros(added, np.int32)])
        self.faded_C = np.concatenate([self.faded_C, np.zeros(added, np.float32)])
