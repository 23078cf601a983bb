"""Serving: the live model on the device, and a catalogue and counts that follow the database."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row

from model import artifact
from model.recommend.items import Item
from model.recommend.serve import Ranker
from storage import items, models, transitions
from workers import settings
from workers.runtime import metrics

log = logging.getLogger(__name__)

CAPABILITY = "recommend"


class Serving:
    """What one process ranks with. `follow` brings it up to date before a batch."""

    def __init__(self, engine: Engine, home: Path) -> None:
        self._engine = engine
        self._home = home
        self._ranker: Ranker | None = None
        self._horizon = 0
        self._counts_horizon = 0
        self._counts: dict[str, dict[str, float]] = {}
        self._warm_compilations = 0
        self.version = ""

    @property
    def ranker(self) -> Ranker:
        """The live model. Raises RuntimeError while there is none."""
        if self._ranker is None:
            raise RuntimeError("no model is live: run `reshelf train`")
        return self._ranker

    def follow(self) -> bool:
        """Load the live model if it is another one, take in what changed and was counted. False: there is no model."""
        with self._engine.connect() as connection:
            live = models.live(connection, CAPABILITY)
        if live is None:
            return False
        if live.version != self.version:
            self._load(live.version)
        else:
            self._take_changes()
        metrics.COMPILATIONS.set(self.ranker.compilations - self._warm_compilations)
        return True

    def _load(self, version: str) -> None:
        log.info("loading model %s", version)
        with self._engine.connect() as connection:
            expected = items.count(connection)
        self._ranker = Ranker(artifact.load(settings.model_folder(self._home, version)), expected_items=expected)
        self._horizon = self._counts_horizon = 0
        self._counts = {}
        self._take_changes()
        self._ranker.warm()
        self._warm_compilations = self._ranker.compilations
        self.version = version
        log.info("model %s is warm: %d items, %d compilations", version, len(self._ranker), self._warm_compilations)

    def _take_changes(self) -> None:
        with self._engine.connect() as connection:
            changes = items.changed_since(connection, self._horizon)
            counted = transitions.changed_since(connection, self._counts_horizon)
        if changes.rows:
            capacity = self.ranker.capacity
            self.ranker.upsert([to_item(row) for row in changes.rows])
            if self.ranker.capacity != capacity:  # the matrix grew and was warmed anew
                self._warm_compilations = self.ranker.compilations
        self._horizon = changes.horizon
        self._take_counts(counted)

    def _take_counts(self, counted: transitions.Changes) -> None:
        """Give the ranker the whole row of every item of which a pair was counted."""
        for before, after, count in counted.rows:
            self._counts.setdefault(before, {})[after] = count
        if counted.rows:
            self.ranker.add_transitions({before: self._counts[before] for before, _, _ in counted.rows})
        self._counts_horizon = counted.horizon


def to_item(row: Row[Any]) -> Item:
    """Return a catalogue row as the model sees it."""
    return Item(
        item_id=row.item_id,
        title=row.title or "",
        text=row.text,
        category=row.category,
        brand=row.brand,
        price=row.price,
        attributes=attribute_labels(row.attributes, row.tags),
        available=row.available,
    )


def attribute_labels(attributes: Mapping[str, str], tags: Iterable[str]) -> tuple[str, ...]:
    """Return an item's attributes and tags as the labels that the model knows them by."""
    return (*(f"{name}={value}" for name, value in sorted(attributes.items())), *tags)
