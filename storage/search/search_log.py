"""Searches as training reads them: which items each showed, at which rank, and which were clicked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

DAYS = 180

# Impressions and clicks of a search carry its request id. An item that was clicked was also shown.
_SHOWN = text("""
SELECT s.query, e.item_id, coalesce(min(e.rank), 1) AS rank, bool_or(e.kind <> 'impression') AS clicked
FROM events AS s JOIN events AS e ON e.request_id = s.request_id
WHERE s.kind = 'search' AND s.at > now() - :days * interval '1 day' AND e.item_id IS NOT NULL
    AND e.kind IN ('impression', 'click', 'add_to_cart', 'purchase')
GROUP BY s.event_id, s.query, e.item_id ORDER BY s.event_id, rank, e.item_id
""")

# Both times are bounded, so that only the newest partitions are read.
_NEW = text("""
SELECT (SELECT count(*) FROM events AS s WHERE s.kind = 'search' AND s.at > :since AND EXISTS (
        SELECT FROM events AS e WHERE e.request_id = s.request_id AND e.at > :since
            AND e.kind IN ('click', 'add_to_cart', 'purchase')))
    + (SELECT count(*) FROM items WHERE announced_at > :since AND deleted_at IS NULL)
""")


def new(connection: Connection, since: datetime) -> int:
    """Return the number of searches with a click after `since` plus the number of items announced since."""
    return int(connection.execute(_NEW, {"since": since}).scalar_one())


def shown(connection: Connection) -> Sequence[Row[Any]]:
    """Return (query, item_id, rank from 1, clicked) for each item that a search of the last `DAYS` showed."""
    return connection.execute(_SHOWN, {"days": DAYS}).all()
