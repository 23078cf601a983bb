"""What prices depend on: items with their costs and the time since their price last changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.json import ascii_text

_PRICED = """
SELECT i.item_id, i.price, i.currency, i.category, i.brand, i.stock, i.announced_at, f.cost, f.competitor_price,
    (SELECT extract(epoch FROM now() - max(c.at)) / 3600 FROM price_changes AS c WHERE c.item_id = i.item_id) AS hours
FROM items AS i LEFT JOIN price_facts AS f USING (item_id) WHERE i.deleted_at IS NULL
"""
_ITEMS = text(f"{_PRICED} AND i.item_id = ANY(:items) AND i.price > 0 ORDER BY i.item_id")
_ITEM = text(f"{_PRICED} AND i.item_id = :item")
# The item is held until the transaction ends; one that another worker changes now is skipped.
_HOLD = text(f"{_PRICED} AND i.item_id = :item AND i.price IS NOT NULL FOR UPDATE OF i SKIP LOCKED")
_PRICE = text("SELECT price FROM items WHERE item_id = :item AND deleted_at IS NULL")
_LEARN = text("""
INSERT INTO price_facts AS f (item_id, cost, competitor_price)
SELECT item_id, cost, competitor_price
FROM jsonb_to_recordset(CAST(:facts AS jsonb)) AS g (item_id text, cost float8, competitor_price float8)
ORDER BY item_id
ON CONFLICT (item_id) DO UPDATE SET cost = coalesce(excluded.cost, f.cost),
    competitor_price = coalesce(excluded.competitor_price, f.competitor_price), updated_at = now()
""")


def items(connection: Connection, items: Sequence[str]) -> Sequence[Row[Any]]:
    """Return those of the items that have a price, with what it depends on, by id."""
    return connection.execute(_ITEMS, {"items": list(items)}).all()


def item(connection: Connection, item: str) -> Row[Any] | None:
    """Return an item of the catalogue with what its price depends on; None if it is not there."""
    return connection.execute(_ITEM, {"item": item}).one_or_none()


def hold(connection: Connection, item: str) -> Row[Any] | None:
    """Return the same and hold the item; None where it has no price, or another transaction holds it."""
    return connection.execute(_HOLD, {"item": item}).one_or_none()


def price(connection: Connection, item: str) -> float | None:
    """Return the price of an item."""
    found: float | None = connection.execute(_PRICE, {"item": item}).scalar()
    return found


def learn(connection: Connection, facts: Sequence[Mapping[str, Any]]) -> None:
    """Write what is known of items: `item_id`, and `cost` or `competitor_price`; what is None stays as it was."""
    connection.execute(_LEARN, {"facts": ascii_text([dict(fact) for fact in facts])})
