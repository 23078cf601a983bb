"""One model version on the device, with a catalogue and transition counts that follow the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32
from sqlalchemy import Connection, Engine, Row

from model import artifact
from model.recommend.serving.serve import Ranker
from storage.catalogue import items
from storage.recommend import transitions
from workers import catalogue, settings


class Changes(NamedTuple):
    """The changes of the catalogue, and of the counts (None: not asked for)."""

    items: items.Changes
    counted: transitions.Changes | None


class Follower:
    """A ranker, and the horizons up to which it has read the catalogue and the counts. For one thread at a time."""

    def __init__(self, version: str, ranker: Ranker) -> None:
        self.version = version
        self.ranker = ranker
        self.numbers: dict[str, int] = {}
        """The number by which shelves name an item, for each item that can be ranked."""
        self._names: dict[int, str] = {}
        self._horizon = 0
        self._counts_horizon = 0
        # Counts of items that are not in the catalogue yet, by the missing item.
        self._awaiting: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)

    def read(self, connection: Connection, *, counts: bool) -> Changes:
        """Return what changed since the last time, for `take`; with `counts`, the transition counts too."""
        changed = items.changed_since(connection, self._horizon)
        return Changes(changed, transitions.changed_since(connection, self._counts_horizon) if counts else None)

    def take(self, changes: Changes) -> None:
        """Apply these changes."""
        if changes.items.rows:
            self.upsert(changes.items.rows)
            if self._awaiting:
                found = [self._awaiting.pop(row.item_id, {}) for row in changes.items.rows]
                self._count([(*pair, count) for counts in found for pair, count in counts.items()])
        self._horizon = changes.items.horizon
        if changes.counted is not None:
            self._count(changes.counted.rows)
            self._counts_horizon = changes.counted.horizon

    def upsert(self, changed: Sequence[Row[Any]]) -> Float32[np.ndarray, "N D"]:
        """Apply these rows of the catalogue; return the vectors of their items."""
        self.numbers |= {row.item_id: row.item_no for row in changed}
        self._names |= {row.item_no: row.item_id for row in changed}
        return self.ranker.upsert([catalogue.to_item(row) for row in changed])

    def names(self, item_nos: Sequence[int]) -> list[str]:
        """Return the ids of the items with these numbers; an empty one for an unknown item."""
        return [self._names.get(item_no, "") for item_no in item_nos]

    def forget_counts(self) -> None:
        """Rank with the trained counts only: the later ones belong to another version, or to another time."""
        self.ranker.forget_transitions()
        self._awaiting.clear()
        self._counts_horizon = 0

    def _count(self, pairs: Iterable[tuple[str, str, float]]) -> None:
        """Apply these counts of pairs; those of an unknown item are kept until it is announced."""
        rows: dict[str, dict[str, float]] = defaultdict(dict)
        for before, after, count in pairs:
            if before not in self.ranker:
                self._awaiting[before][before, after] = count
            elif after not in self.ranker:
                self._awaiting[after][before, after] = count
            else:
                rows[before][after] = count
        if rows:
            self.ranker.add_transitions(rows)


def load(engine: Engine, home: Path, version: str) -> Follower:
    """Return the version with the whole catalogue, warm: nothing compiles again until the catalogue outgrows it.

    Raises `ArtifactError` if its folder is missing or damaged.
    """
    weights = artifact.load(settings.model_folder(home, version))
    with engine.connect() as connection:
        expected = items.count(connection)
        follower = Follower(version, Ranker(weights, expected_items=expected))
        changes = follower.read(connection, counts=False)
    follower.take(changes)
    follower.ranker.warm()
    return follower
