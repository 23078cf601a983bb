"""One model version on the device, with a catalogue and counts that follow the database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32
from sqlalchemy import Connection, Engine, Row

from model import artifact
from model.recommend.serve import Ranker
from storage import items, transitions
from workers import settings
from workers.recommend import rows


class Changes(NamedTuple):
    """What happened to the catalogue, and what was counted (None: not asked for)."""

    items: items.Changes
    counted: transitions.Changes | None


class Follower:
    """A ranker, and up to where it has read the catalogue and the counts. For one thread at a time."""

    def __init__(self, version: str, ranker: Ranker) -> None:
        self.version = version
        self.ranker = ranker
        self.numbers: dict[str, int] = {}
        """The number of each item that can be ranked, by which shelves name it."""
        self._names: dict[int, str] = {}
        self._horizon = 0
        self._counts_horizon = 0
        self._counts: dict[str, dict[str, float]] = {}

    def read(self, connection: Connection, *, counts: bool) -> Changes:
        """Return what changed since the last time, for `take`; what was counted too, with `counts`."""
        changed = items.changed_since(connection, self._horizon)
        return Changes(changed, transitions.changed_since(connection, self._counts_horizon) if counts else None)

    def take(self, changes: Changes) -> None:
        """Rank with these changes from now on."""
        if changes.items.rows:
            self.upsert(changes.items.rows)
        self._horizon = changes.items.horizon
        if changes.counted is not None:
            self._take_counts(changes.counted)

    def upsert(self, changed: Sequence[Row[Any]]) -> Float32[np.ndarray, "N D"]:
        """Rank with these rows of the catalogue from now on; return the vectors of their items."""
        self.numbers |= {row.item_id: row.item_no for row in changed}
        self._names |= {row.item_no: row.item_id for row in changed}
        return self.ranker.upsert([rows.to_item(row) for row in changed])

    def names(self, item_nos: Sequence[int]) -> list[str]:
        """Return the ids of the items of these numbers; an empty one for an item that is not known."""
        return [self._names.get(item_no, "") for item_no in item_nos]

    def forget_counts(self) -> None:
        """Rank with the trained counts alone: what was counted since is another version's, or of another time."""
        self.ranker.add_transitions({before: {} for before in self._counts})
        self._counts = {}
        self._counts_horizon = 0

    def _take_counts(self, counted: transitions.Changes) -> None:
        """Give the ranker the whole row of every item of which a pair was counted."""
        for before, after, count in counted.rows:
            self._counts.setdefault(before, {})[after] = count
        if counted.rows:
            self.ranker.add_transitions({before: self._counts[before] for before, _, _ in counted.rows})
        self._counts_horizon = counted.horizon


def load(engine: Engine, home: Path, version: str) -> Follower:
    """Return the version with the whole catalogue, warm: nothing compiles after this until the catalogue outgrows it.

    Raises `ArtifactError` where its folder is missing or damaged.
    """
    weights = artifact.load(settings.model_folder(home, version))
    with engine.connect() as connection:
        expected = items.count(connection)
        follower = Follower(version, Ranker(weights, expected_items=expected))
        changes = follower.read(connection, counts=False)
    follower.take(changes)
    follower.ranker.warm()
    return follower
