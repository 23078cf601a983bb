"""The catalogue: reading items, and following their changes without missing one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from storage import xid_horizon
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
    items.c.item_no,
    items.c.announced_at,
    items.c.deleted_at,
    items.c.changed_xid,
)


@dataclass(frozen=True)
class Changes:
    """The items that changed, and the horizon for the next read. An item may come twice."""

    rows: list[Row[Any]]
    horizon: int


def changed_since(connection: Connection, since: int) -> Changes:
    """Return the items written since that horizon (0: all items)."""
    following = xid_horizon.following(connection)
    rows: list[Row[Any]] = list(connection.execute(select(*_COLUMNS).where(items.c.changed_xid >= since)))
    return Changes(rows, following)


def read(connection: Connection, item_ids: Sequence[str]) -> list[Row[Any]]:
    """Return the items that exist, among those asked for."""
    return list(connection.execute(select(*_COLUMNS).where(items.c.item_id.in_(item_ids))))


def count(connection: Connection) -> int:
    """Return how many items there are, available or not."""
    return connection.execute(select(func.count()).select_from(items)).scalar_one()
