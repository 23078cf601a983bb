"""What prices depend on: items with their costs and the time since their price last changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

_ITEMS = text("""
SELECT i.item_id, i.price, i.currency, i.category, i.brand, i.stock, f.cost, f.competitor_price,
    extract(epoch FROM now() - c.changed_at) / 3600 AS hours
FROM items AS i LEFT JOIN price_facts AS f USING (item_id)
LEFT JOIN LATERAL (SELECT max(at) AS changed_at FROM price_changes AS c WHERE c.item_id = i.item_id) AS c ON true
WHERE i.item_id = ANY(:items) AND i.price > 0 AND i.deleted_at IS NULL ORDER BY i.item_id
""")

_ITEM = text("""
SELECT i.price, i.currency, f.cost, f.competitor_price FROM items AS i LEFT JOIN price_facts AS f USING (item_id)
WHERE i.item_id = :item AND i.deleted_at IS NULL
""")


def items(connection: Connection, items: Sequence[str]) -> Sequence[Row[Any]]:
    """Return those of the items that have a price, with what it depends on, by id."""
    return connection.execute(_ITEMS, {"items": list(items)}).all()


def item(connection: Connection, item: str) -> Row[Any] | None:
    """Return price, currency, cost and competitor's price of an item of the catalogue; None if it is not there."""
    return connection.execute(_ITEM, {"item": item}).one_or_none()
