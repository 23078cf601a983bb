"""Searches as training reads them: what each showed, where, and what was clicked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

DAYS = 180

# What a search showed and what came of it name the answer's request. An item that was clicked was shown, too.
_SHOWN = text("""
SELECT s.query, e.item_id, coalesce(min(e.rank), 1) AS rank, bool_or(e.kind <> 'impression') AS clicked
FROM events AS s JOIN events AS e ON e.request_id = s.request_id
WHERE s.kind = 'search' AND s.at > now() - :days * interval '1 day' AND e.item_id IS NOT NULL
    AND e.kind IN ('impression', 'click', 'add_to_cart', 'purchase')
GROUP BY s.event_id, s.query, e.item_id ORDER BY s.event_id, rank, e.item_id
""")

# Both bounds, so that only the newest partitions are read.
_NEW = text("""
SELECT (SELECT count(*) FROM events AS s WHERE s.kind = 'search' AND s.at > :since AND EXISTS (
        SELECT FROM events AS e WHERE e.request_id = s.request_id AND e.at > :since
            AND e.kind IN ('click', 'add_to_cart', 'purchase')))
    + (SELECT count(*) FROM items WHERE announced_at > :since AND deleted_at IS NULL)
""")


def new(connection: Connection, since: datetime) -> int:
    """Return how many searches with a click happened after `since`, and how many items were announced, together."""
    return int(connection.execute(_NEW, {"since": since}).scalar_one())


def shown(connection: Connection) -> Sequence[Row[Any]]:
    """Return (query, item_id, rank from 1, clicked) for each item that a search of the last `DAYS` showed."""
    return connection.execute(_SHOWN, {"days": DAYS}).all()
