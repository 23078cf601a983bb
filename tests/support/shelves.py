"""Shelves as tests write and read them, by the ids of their items; the tables hold their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection, text

from storage.events import intake
from storage.recommend import homes, rankings
from storage.recommend.homes import Home, Reasons
from storage.recommend.rankings import HOME, Ranking

Because = tuple[str, str]
"""Why an item is on a shelf: an item of its owner's history, and the kind of the event."""

_NAMED = (
    "ARRAY(SELECT item_id FROM unnest({}) WITH ORDINALITY AS s(item_no, n) LEFT JOIN items USING (item_no) ORDER BY n)"
)
_READ = text(f"""
SELECT owner, {_NAMED.format("r.item_nos")}, scores, model_version, through,
    {_NAMED.format("r.because_nos")}, because_kinds, generated_at
FROM rankings AS r WHERE surface = :surface
""")


@dataclass(frozen=True)
class Shelf:
    """A shelf that stands, best item first; `because` is None where nothing is explained."""

    item_ids: list[str | None]
    scores: list[float]
    version: str
    through: datetime | None
    because: list[Because | None] | None
    generated_at: datetime | None = field(default=None, compare=False)


def announce(connection: Connection, *item_ids: str) -> None:
    """Let the catalogue know these items, and nothing be due for it."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    changes = [
        {"change_id": f"announce-{one}", "item_id": one, "at": at, "fields": {"title": one}, "announces": True}
        for one in item_ids
    ]
    intake.write_changes(connection, changes, writer="test")
    connection.execute(text("DELETE FROM due WHERE kind = 'item' AND key = ANY(:keys)"), {"keys": list(item_ids)})


def numbers(connection: Connection) -> dict[str, int]:
    """Return the number of every item that the catalogue knows."""
    return {row.item_id: row.item_no for row in connection.execute(text("SELECT item_id, item_no FROM items"))}


def write(
    connection: Connection,
    owner: str,
    item_ids: Sequence[str],
    *,
    surface: str = HOME,
    version: str = "m",
    through: datetime | None = None,
    mark: int = 0,
    counted_by: str | None = None,
    because: Sequence[Because | None] = (),
) -> None:
    """Write a shelf as a worker would, best item first, with scores 1, 1/2, 1/3, …, and reasons of the first items.

    A shopper's own may name only what is announced. A reason that is not gets no number, as one that is migrated.
    """
    scores = [1 / (place + 1) for place in range(len(item_ids))]
    if surface != HOME:
        shelf = Ranking(owner, surface, list(item_ids), scores, version, through, mark)
        rankings.write(connection, [shelf])
        return
    known = numbers(connection)
    item_nos_N = np.array([known[item_id] for item_id in item_ids], np.int32)
    home = Home(owner, item_nos_N, np.array(scores, np.float32), version, through, mark)
    homes.write(connection, [home], counted_by=counted_by)
    if because:
        events = [reason or (None, None) for reason in because]
        named = [None if item_id is None else known.get(item_id) for item_id, _ in events]
        homes.explain(connection, [Reasons(owner, mark, None, named, [kind for _, kind in events])])


def every(connection: Connection, surface: str = HOME) -> dict[str, Shelf]:
    """Return all shelves of a surface by owner."""
    rows = connection.execute(_READ, {"surface": surface})
    return {owner: _shelf(*columns) for owner, *columns in rows}


def read(connection: Connection, owner: str, surface: str = HOME) -> Shelf | None:
    """Return the shelf of this owner, None where there is none."""
    return every(connection, surface).get(owner)


def item_ids(connection: Connection, owner: str, surface: str = HOME) -> list[str | None] | None:
    """Return the items of this owner's shelf, None where there is none."""
    found = read(connection, owner, surface)
    return None if found is None else found.item_ids


def _shelf(
    item_ids: list[str | None],
    scores: list[float],
    version: str,
    through: datetime | None,
    because_ids: list[str | None],
    kinds: list[str | None] | None,
    generated_at: datetime,
) -> Shelf:
    because = None if kinds is None else [
        None if kind is None or item_id is None else (item_id, kind)
        for item_id, kind in zip(because_ids, kinds, strict=True)
    ]  # fmt: skip
    return Shelf(item_ids, scores, version, through, because, generated_at)
