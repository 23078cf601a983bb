"""Retention: which old data is deleted, measured from the newest event, so that old data can be loaded and replayed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from storage.bots import actors
from storage.keys import api_keys
from storage.registry import health

_PARTITIONS = text("""
SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'events'::regclass ORDER BY c.relname
""")
_FORGET = (
    text("DELETE FROM event_ids WHERE at < :before"),
    text("DELETE FROM change_ids WHERE at < :before"),
)
# Fold the counts of all writers into one row: those that still write start again from zero, and the sums stay.
_FOLD_COUNTS = text("""
WITH gone AS (
    DELETE FROM intake_counts WHERE writer <> 'past' RETURNING door, written, duplicates, rejected
)
INSERT INTO intake_counts AS c (writer, door, written, duplicates, rejected)
SELECT 'past', door, sum(written), sum(duplicates), sum(rejected) FROM gone GROUP BY door ORDER BY door
ON CONFLICT (writer, door) DO UPDATE SET written = c.written + excluded.written,
    duplicates = c.duplicates + excluded.duplicates, rejected = c.rejected + excluded.rejected
""")
_NEWEST = text("SELECT max(at) FROM events")
_AHEAD = text("SELECT ensure_event_partition(CAST(date_trunc('month', now() + interval '7 days') AS date))")


def apply(connection: Connection, keep: timedelta) -> list[str]:
    """Drop the monthly partitions that are entirely older than the newest event minus `keep`; return their names.

    The ids by which duplicates of their events were recognised are deleted too. Next month's partition is created
    ahead.
    """
    connection.execute(_FOLD_COUNTS)
    health.forget(connection)
    api_keys.forget_usage(connection)
    connection.execute(_AHEAD)
    newest: datetime | None = connection.execute(_NEWEST).scalar()
    if newest is None:
        return []
    before = first_kept_month(newest, keep)
    old = [name for name in connection.execute(_PARTITIONS).scalars() if name < f"events_{before:%Y_%m}"]
    actors.forget_gone(connection, before)
    for name in old:
        connection.execute(text(f'DROP TABLE "{name}"'))
    if old:
        for statement in _FORGET:
            connection.execute(statement, {"before": before})
    return old


def first_kept_month(newest: datetime, keep: timedelta) -> datetime:
    """Return the start (UTC) of the oldest month that holds anything within `keep` before `newest`."""
    oldest = newest.astimezone(UTC) - keep
    return oldest.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
