"""The searched items: a slot for each, and the data of filters, facets and sort orders."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float32, Int32

from model.catalogue import Item
from model.search.index.column import Column

NONE = -1
"""The code of an item without a category or brand."""


class Labels:
    """Distinct labels of one field as dense codes."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, name: str | None) -> int:
        """The label's code, a new one for a new label; `NONE` for None."""
        if not name:
            return NONE
        found = self._codes.setdefault(name, len(self.names))
        if found == len(self.names):
            self.names.append(name)
        return found

    def known(self, names: Iterable[str]) -> list[int]:
        """The codes of the names that exist."""
        return [self._codes[name] for name in names if name in self._codes]


class Collection:
    """Items by slot. A changed item gets a new slot and its old one is closed, so slots are never rewritten."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.categories, self.brands = Labels(), Labels()
        self._slots: dict[str, int] = {}
        self._open = Column(np.bool_)
        self._available = Column(np.bool_)
        self._category = Column(np.int32, fill=NONE)
        self._brand = Column(np.int32, fill=NONE)
        self._price = Column(np.float32, fill=np.nan)
        self._popularity = Column(np.float32)
        self._announced = Column(np.float64, fill=np.nan)
        self._prices_of: dict[int, Float32[np.ndarray, " M"]] = {}

    def put(self, item: Item, *, popularity: float = 0.0, announced: float | None = None) -> int:
        """Add or replace an item, and return its new slot. `announced` is in unix seconds."""
        self.remove(item.item_id)
        slot = len(self.items)
        self.items.append(item)
        self._slots[item.item_id] = slot
        self._open.set(slot, True)
        self._available.set(slot, item.available)
        self._category.set(slot, self.categories.code(item.category))
        self._brand.set(slot, self.brands.code(item.brand))
        self._price.set(slot, np.nan if item.price is None else item.price)
        self._popularity.set(slot, popularity)
        self._announced.set(slot, np.nan if announced is None else announced)
        self._reprice(slot)
        return slot

    def remove(self, item_id: str) -> int | None:
        """Close the item's slot and return it; None for an unknown item."""
        slot = self._slots.pop(item_id, None)
        if slot is not None:
            self._open.set(slot, False)
            self._reprice(slot)
        return slot

    def sell(self, item: Item) -> None:
        """Update price and availability in place, for an item that is otherwise the same; ignores an unknown one."""
        slot = self._slots.get(item.item_id)
        if slot is not None:
            self.items[slot] = item
            self._available.set(slot, item.available)
            self._price.set(slot, np.nan if item.price is None else item.price)
            self._reprice(slot)

    def count(self, item_id: str, popularity: float) -> None:
        """Set an item's popularity in place; ignores an unknown item."""
        if item_id in self._slots:
            self._popularity.set(self._slots[item_id], popularity)

    def slot(self, item_id: str) -> int | None:
        """The item's slot; None for an unknown item."""
        return self._slots.get(item_id)

    def prices_of(self, category: int) -> Float32[np.ndarray, " M"]:
        """The prices of the items of a category (by its code), ascending; items without a price are left out."""
        if category not in self._prices_of:
            price_M = self.price_N[(self.category_N == category) & self.open_N]
            self._prices_of[category] = np.sort(price_M[np.isfinite(price_M)])
        return self._prices_of[category]

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def open_N(self) -> Bool[np.ndarray, " N"]:
        """Which slots hold an item."""
        return self._open.first(len(self.items))

    @property
    def available_N(self) -> Bool[np.ndarray, " N"]:
        """Which slots hold, or held, an available item."""
        return self._available.first(len(self.items))

    @property
    def category_N(self) -> Int32[np.ndarray, " N"]:
        """Codes of `categories`."""
        return self._category.first(len(self.items))

    @property
    def brand_N(self) -> Int32[np.ndarray, " N"]:
        """Codes of `brands`."""
        return self._brand.first(len(self.items))

    @property
    def price_N(self) -> Float32[np.ndarray, " N"]:
        """Prices in the shop's currency; NaN without one."""
        return self._price.first(len(self.items))

    @property
    def popularity_N(self) -> Float32[np.ndarray, " N"]:
        """The values given to `put` and `count`."""
        return self._popularity.first(len(self.items))

    @property
    def announced_N(self) -> np.ndarray:
        """Unix seconds; NaN if unknown."""
        return self._announced.first(len(self.items))

    def _reprice(self, slot: int) -> None:
        """Drop the cached prices of a slot's category."""
        self._prices_of.pop(int(self.category_N[slot]), None)
