"""Bulk intake through COPY: many events or catalogue changes at once, with the same effect as `storage.events.intake`.

Events are copied to a temporary table and written from there by set-based statements, with the same deduplication by
`event_id`, traits, due marks and counts as a message. A test in `tests/integration/load` checks that both leave the
same tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from storage.events import intake
from storage.events.intake import Counts

EVENT_COLUMNS = (
    "event_id", "shopper", "kind", "item_id", "at", "value", "quantity", "session_id", "surface", "request_id",
    "query", "rank", "context",
)  # fmt: skip
"""The columns of a row of `write_events`, in this order: those of `events`, and `context` as a JSON text or None."""

_CHANGES_AT_ONCE = 2_000

_STAGE = text("""
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_events (
    event_id text NOT NULL, shopper text NOT NULL, kind text NOT NULL, item_id text, at timestamptz NOT NULL,
    value float8, quantity float8 NOT NULL, session_id text, surface text, request_id text, query text, rank integer,
    context jsonb,
    place bigint GENERATED ALWAYS AS IDENTITY
) ON COMMIT DELETE ROWS
""")
_COPY = f"COPY incoming_events ({', '.join(EVENT_COLUMNS)}) FROM STDIN"

# Of several rows with the same id the last one counts, as in a message.
_WRITE = intake.events_statement("SELECT DISTINCT ON (event_id) * FROM incoming_events ORDER BY event_id, place DESC")

_UNLISTED = text("""
SELECT count(DISTINCT item_id) FROM events
WHERE item_id IS NOT NULL AND NOT EXISTS (SELECT FROM items WHERE items.item_id = events.item_id)
""")


def write_events(connection: Connection, rows: Sequence[Sequence[Any]], *, writer: str, rejected: int = 0) -> Counts:
    """Write events that are new by `event_id`, mark what is due, and count. Call `intake.ensure_months` first.

    A row holds the values of `EVENT_COLUMNS`, with `at` timezone-aware, in UTC. The caller owns the transaction.
    """
    connection.execute(_STAGE)
    psycopg_connection: Any = connection.connection
    with psycopg_connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)
    connection.execute(text("ANALYZE incoming_events"))
    parameters = {"writer": writer, "offered": len(rows), "rejected": rejected}
    written = connection.execute(_WRITE, parameters).scalar_one()
    connection.execute(text("TRUNCATE incoming_events"))
    return Counts(written, len(rows) - written, rejected)


def write_changes(
    connection: Connection, changes: Sequence[dict[str, Any]], *, writer: str, rejected: int = 0
) -> Counts:
    """Write catalogue changes as `intake.write_changes` does, in chunks. The caller owns the transaction."""
    starts = range(0, max(len(changes), 1), _CHANGES_AT_ONCE)
    counted = [
        intake.write_changes(
            connection,
            changes[start : start + _CHANGES_AT_ONCE],
            writer=writer,
            rejected=rejected if start == 0 else 0,
        )
        for start in starts
    ]
    return Counts(sum(c.written for c in counted), sum(c.duplicates for c in counted), rejected)


def unlisted_items(connection: Connection) -> int:
    """Return how many items have events but no row in the catalogue: they cannot be shown."""
    return int(connection.execute(_UNLISTED).scalar_one())
