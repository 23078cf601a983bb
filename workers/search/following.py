"""The catalogue in memory, searched by one version at a time, which follows the database without missing a change."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row

from model.catalogue import Item
from model.search.engine import Engine
from model.search.index import invalidation
from storage.catalogue import items
from storage.catalogue.items import Changes
from storage.recommend import rankings
from workers.catalogue import to_item

POPULAR_EVERY = 30.0
"""Seconds between two reads of popularity."""


@dataclass
class Touched:
    """What changes concern: the terms that the items hold or held, and their newest transaction id."""

    terms: set[str] = field(default_factory=set)
    newest: int = 0


class Follower:
    """An engine, and the horizon up to which it has read the catalogue. For one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.horizon = 0
        self._numbers: dict[str, int] = {}
        self._announced: dict[str, float] = {}
        self._popularity: dict[str, float] = {}
        self._popular_at = -np.inf

    def number(self, slot: int) -> int:
        """Return the number in the tables of the item in a slot."""
        return self._numbers[self.engine.collection.items[slot].item_id]

    def read(self, connection: Connection) -> Changes:
        """Return what changed since the last time, for `take`; popularity is read and applied now and then."""
        if time.monotonic() - self._popular_at > POPULAR_EVERY:
            self._popular_at = time.monotonic()
            self._take_popular(rankings.popularity(connection))
        return items.changed_since(connection, self.horizon)

    def take(self, changes: Changes) -> Touched:
        """Apply these changes; return what they concern. An item without a difference concerns nothing."""
        touched = Touched()
        if not self.horizon:
            self._build([row for row in changes.rows if _is_there(row)])
        else:
            for row in changes.rows:
                self._take_one(row, touched)
        self.horizon = changes.horizon
        return touched

    def _build(self, rows: list[Row[Any]]) -> None:
        for row in rows:
            self._note(row)
        self.engine.build([to_item(row) for row in rows], popularity=self._popularity, announced=self._announced)

    def _take_one(self, row: Row[Any], touched: Touched) -> None:
        collection = self.engine.collection
        slot = collection.slot(row.item_id)
        before = None if slot is None else collection.items[slot]
        after = to_item(row) if _is_there(row) else None
        if before == after:
            return
        touched.newest = max(touched.newest, row.changed_xid)
        for item in (before, after):
            touched.terms |= set() if item is None else invalidation.item_terms(item)
        if after is None:
            self.engine.remove([row.item_id])
            return
        self._note(row)
        if before is not None and _worded(before) == _worded(after):
            collection.sell(after)
        else:
            self.engine.put([after], popularity=self._popularity, announced=self._announced)

    def _note(self, row: Row[Any]) -> None:
        self._numbers[row.item_id] = row.item_no
        if row.announced_at is not None:
            self._announced[row.item_id] = row.announced_at.timestamp()

    def _take_popular(self, popularity: dict[str, float]) -> None:
        for item_id in self._popularity.keys() | popularity.keys():
            self.engine.collection.count(item_id, popularity.get(item_id, 0.0))
        self._popularity = popularity


def _is_there(row: Row[Any]) -> bool:
    return row.title is not None and row.deleted_at is None


def _worded(item: Item) -> tuple[Any, ...]:
    """Return the words that an item is found by; while they stay the same, it keeps its slot, whatever its price."""
    return (item.title, item.text, item.category, item.brand, item.attributes)
