"""When items could be had: a trigger on `items` notes each change of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

_AWAY = text("""
WITH spells AS (
    SELECT item_id, available, at AS begins, lead(at, 1, now()) OVER (PARTITION BY item_id ORDER BY at) AS ends
    FROM item_availability WHERE item_id = ANY(:items)
)
SELECT item_id, CAST(week AS date) AS week, sum(extract(epoch FROM
    least(ends, week + interval '7 days') - greatest(begins, week))) / 86400 AS days
FROM spells CROSS JOIN LATERAL generate_series(
    greatest(date_trunc('week', begins), CAST(:since AS timestamptz)), least(ends, CAST(:until AS timestamptz)),
    interval '7 days') AS week
WHERE NOT available AND begins < week + interval '7 days' AND ends > week AND week < :until
GROUP BY item_id, week
""")
# The last note before says how it was at the time that is still looked at.
_FORGET = text("""
DELETE FROM item_availability AS a WHERE at < :before AND EXISTS (
    SELECT 1 FROM item_availability AS b WHERE b.item_id = a.item_id AND b.at > a.at AND b.at <= :before)
""")


def away(connection: Connection, items: Sequence[str], since: date, until: date) -> Sequence[Row[Any]]:
    """Return (item_id, week, days): how many days of a week, named by its Monday, an item could not be had.

    Weeks in which an item was always to be had are left out. Times are UTC.
    """
    return connection.execute(_AWAY, {"items": list(items), "since": since, "until": until}).all()


def forget(connection: Connection, before: date) -> None:
    """Delete what says nothing of the time since."""
    connection.execute(_FORGET, {"before": before - timedelta(weeks=1)})
