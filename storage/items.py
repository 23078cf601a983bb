"""The catalogue: reading items, and following their changes without missing one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, text

from storage.tables import items

_COLUMNS = (
    items.c.item_id,
    items.c.title,
    items.c.text,
    items.c.category,
    items.c.brand,
    items.c.price,
    items.c.attributes,
    items.c.tags,
    items.c.available,
)

# Everything below the snapshot's xmin is visible, everything at or above it may still commit: reading from there
# next time sees each change at least once, in whatever order the transactions commit.
_HORIZON = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")


@dataclass(frozen=True)
class Changes:
    """Items that changed, and the horizon to ask from next time. Some may come twice."""

    rows: list[Row[Any]]
    horizon: int


def changed_since(connection: Connection, horizon: int) -> Changes:
    """Return the items written since `horizon` (0: all of them)."""
    following = connection.execute(_HORIZON).scalar_one()
    rows: list[Row[Any]] = list(connection.execute(select(*_COLUMNS).where(items.c.changed_xid >= horizon)))
    return Changes(rows, following)


def read(connection: Connection, item_ids: Sequence[str]) -> list[Row[Any]]:
    """Return those of the items that there are."""
    return list(connection.execute(select(*_COLUMNS).where(items.c.item_id.in_(item_ids))))


def count(connection: Connection) -> int:
    """Return how many items there are, available or not."""
    return connection.execute(select(func.count()).select_from(items)).scalar_one()
