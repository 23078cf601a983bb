"""Baskets as associations are counted from them: which of the most bought items each basket holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, text

from storage.bots import actors
from storage.market import streams
from storage.market.demand import Span

MOST_PER_BASKET = 200
"""Larger baskets are left out: they say little about any pair in them, and cost its square."""

_BOUGHT = f"kind = 'purchase' AND item_id IS NOT NULL AND basket IS NOT NULL AND {actors.counts('events')}"

_FREQUENT = text(f"""
SELECT item_id FROM events WHERE {_BOUGHT} AND at >= :since AND at <= :through
GROUP BY item_id ORDER BY count(DISTINCT basket) DESC, item_id LIMIT :most
""")

_LINES = f"""
SELECT hashtextextended(basket, 0) AS basket, coalesce(known.item, 0) - 1 AS item FROM (
    SELECT basket, item_id, count(*) OVER (PARTITION BY basket) AS lines FROM (
        SELECT DISTINCT basket, item_id FROM events WHERE {_BOUGHT} AND at >= {{since}} AND at <= {{through}}
    ) AS bought
) AS sized LEFT JOIN unnest(CAST({{item_ids}} AS text[])) WITH ORDINALITY AS known(item_id, item) USING (item_id)
WHERE lines <= {MOST_PER_BASKET} ORDER BY 1, 2
"""


def frequent(connection: Connection, looked: Span, *, most: int) -> list[str]:
    """Return the items in most baskets."""
    values = {"since": looked.since, "through": looked.through, "most": most}
    return list(connection.execute(_FREQUENT, values).scalars())


def lines_csv(connection: Connection, looked: Span, item_ids: Sequence[str]) -> Iterator[bytes | memoryview]:
    """Yield (basket, item), by basket: a number for the basket, and the item's place in `item_ids`, -1 for others."""
    values = {"since": looked.since, "through": looked.through, "item_ids": list(item_ids)}
    yield from streams.csv(connection, _LINES, **values)
