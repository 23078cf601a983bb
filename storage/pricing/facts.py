"""What prices depend on: items with their costs and the time since their price last changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.json import ascii_text

_PRICED = """
SELECT i.item_id, i.price, i.currency, i.category, i.brand, i.stock, i.announced_at, f.cost, f.competitor_price,
    f.promotion,
    (SELECT extract(epoch FROM now() - max(c.at)) / 3600 FROM price_changes AS c WHERE c.item_id = i.item_id) AS hours
FROM items AS i LEFT JOIN price_facts AS f USING (item_id) WHERE i.deleted_at IS NULL
"""
_ITEMS = text(f"{_PRICED} AND i.item_id = ANY(:items) AND i.price > 0 ORDER BY i.item_id")
_ITEM = text(f"{_PRICED} AND i.item_id = :item")
# The item is held until the transaction ends; one that another worker changes now is skipped.
_HOLD = text(f"{_PRICED} AND i.item_id = :item AND i.price IS NOT NULL FOR UPDATE OF i SKIP LOCKED")
_PRICES = text("""
SELECT item_id, price, currency FROM items WHERE item_id = ANY(:items) AND price > 0 AND deleted_at IS NULL
""")
# Of a family one price is changed at a time: the next one sees it.
_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtext('price_family:' || :family))")
_PRICE = text("SELECT price FROM items WHERE item_id = :item AND deleted_at IS NULL")
FIELDS = frozenset({"cost", "competitor_price", "promotion"})
_NEWER = "(excluded.stamps->>'{0}') COLLATE \"C\" > coalesce(f.stamps->>'{0}', '')"
_SET_NEWER = ", ".join(
    f"{field} = CASE WHEN {_NEWER.format(field)} THEN excluded.{field} ELSE f.{field} END" for field in sorted(FIELDS)
)
_MOVES = " OR ".join(
    f"({_NEWER.format(field)} AND excluded.{field} IS DISTINCT FROM f.{field})" for field in sorted(FIELDS)
)
_WRITE = text(f"""
INSERT INTO price_facts AS f (item_id, cost, competitor_price, promotion, stamps)
SELECT item_id, CAST(fields->>'cost' AS float8), CAST(fields->>'competitor_price' AS float8),
    CAST(fields->>'promotion' AS boolean), stamps
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS g (item_id text, fields jsonb, stamps jsonb) ORDER BY item_id
ON CONFLICT (item_id) DO UPDATE SET {_SET_NEWER}, updated_at = now(),
    moved_at = CASE WHEN {_MOVES} THEN now() ELSE f.moved_at END, stamps = f.stamps || (
    SELECT coalesce(jsonb_object_agg(s.key, s.value), '{{}}') FROM jsonb_each(excluded.stamps) AS s
    WHERE (s.value #>> '{{}}') COLLATE "C" > coalesce(f.stamps->>s.key, ''))
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


def prices(connection: Connection, items: Sequence[str], *, in_turn: str | None = None) -> dict[str, Row[Any]]:
    """Return (item_id, price, currency) by item; with `in_turn`, a family, whoever else asks so waits until this
    transaction ends.
    """
    if in_turn is not None:
        connection.execute(_IN_TURN, {"family": in_turn})
    return {row.item_id: row for row in connection.execute(_PRICES, {"items": list(items)})}


def learn(connection: Connection, facts: Sequence[Mapping[str, Any]]) -> None:
    """Write what is known of items as of now: `item_id`, and some of `FIELDS`; what is None stays as it was."""
    stamp = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}|"
    rows = []
    for fact in facts:
        given = {name: fact[name] for name in FIELDS if fact.get(name) is not None}
        rows.append({"item_id": fact["item_id"], "fields": given, "stamps": dict.fromkeys(given, stamp)})
    write(connection, rows)


def write(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write `fields` of `item_id` whose `stamps` (time and change) are newer than those that are stored."""
    connection.execute(_WRITE, {"rows": ascii_text([dict(row) for row in rows])})
