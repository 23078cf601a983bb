"""Weekly demand from purchases: of items, of categories, and in all. Purchases of flagged bots do not count.

A week begins on Monday, in UTC. Only whole weeks count: the week of the newest purchase does only on its Sunday.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.bots import actors
from storage.market import streams

WEEKS = 104
"""Most weeks that are looked at."""
TOTAL = "total"
"""The series of the whole shop."""

_SUNDAY = 6

_NEWEST = text("""
SELECT max(at) AS newest, min(at) AS oldest FROM events WHERE kind = 'purchase' AND at <= now() AND item_id IS NOT NULL
""")

# One pass over the purchases; items beyond the best-selling ones count for their categories and the total.
_WEEKLY = f"""
WITH weekly AS MATERIALIZED (
    SELECT e.item_id, CAST(date_trunc('week', e.at) AS date) AS week, sum(e.quantity) AS units,
        sum(coalesce(e.value, e.quantity * i.price, 0)) AS revenue,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY e.value / e.quantity) FILTER (WHERE e.value > 0) AS price
    FROM events AS e LEFT JOIN items AS i USING (item_id)
    WHERE e.kind = 'purchase' AND e.at >= {{since}} AND e.at < {{until}} AND e.item_id IS NOT NULL
        AND {actors.counts("e")}
    GROUP BY 1, 2
), best AS (
    SELECT item_id FROM weekly GROUP BY item_id ORDER BY sum(revenue) DESC, sum(units) DESC, item_id LIMIT {{most}}
)
SELECT 'item' AS level, item_id AS series, week, units, revenue, price
FROM weekly WHERE item_id IN (SELECT item_id FROM best)
UNION ALL SELECT 'category', i.category, week, sum(units), sum(revenue), NULL
FROM weekly JOIN items AS i USING (item_id) WHERE i.category IS NOT NULL GROUP BY i.category, week
UNION ALL SELECT 'total', '{TOTAL}', week, sum(units), sum(revenue), NULL FROM weekly GROUP BY week
ORDER BY 1, 2, 3
"""

_ITEMS = text("""
SELECT item_id, coalesce(title, item_id) AS title, category, price, CASE WHEN deleted_at IS NULL THEN stock END AS stock
FROM items WHERE item_id = ANY(:item_ids) ORDER BY item_id
""")
_CURRENCY = text("""
SELECT currency FROM items WHERE currency IS NOT NULL AND deleted_at IS NULL GROUP BY currency
ORDER BY count(*) DESC, currency LIMIT 1
""")


@dataclass(frozen=True)
class Span:
    """The time that is looked at: whole weeks from `since` to before `until`, and the newest purchase, `through`."""

    since: date
    until: date
    through: datetime

    @property
    def weeks(self) -> list[date]:
        """The Mondays of its weeks."""
        return [self.since + timedelta(weeks=week) for week in range((self.until - self.since).days // 7)]


def whole_weeks(oldest: datetime, newest: datetime) -> Span:
    """Return the whole weeks between two purchases, the last `WEEKS` at most. The first one may have begun before."""
    monday = newest.date() - timedelta(days=newest.weekday())
    until = monday + timedelta(weeks=1) if newest.weekday() == _SUNDAY else monday
    first = oldest.date() - timedelta(days=oldest.weekday())
    return Span(max(first, until - timedelta(weeks=WEEKS)), max(until, first), newest)


def span(connection: Connection) -> Span | None:
    """Return the time to look at, None if nothing was ever bought."""
    row = connection.execute(_NEWEST).one()
    return None if row.newest is None else whole_weeks(row.oldest, row.newest)


def weekly_csv(connection: Connection, looked: Span, *, most_items: int) -> Iterator[bytes | memoryview]:
    """Yield (level, series, week, units, revenue, price), by level, series and week, of the items that earned most.

    The price is the median over the purchases of an item, so that one large order at a discount does not make it.
    """
    yield from streams.csv(connection, _WEEKLY, since=looked.since, until=looked.until, most=most_items)


def items(connection: Connection, item_ids: Sequence[str]) -> Sequence[Row[Any]]:
    """Return (item_id, title, category, price, stock) of the items that are in the catalogue."""
    return connection.execute(_ITEMS, {"item_ids": list(item_ids)}).all()


def currency(connection: Connection) -> str | None:
    """Return the currency of most prices in the catalogue."""
    found: str | None = connection.execute(_CURRENCY).scalar()
    return found
