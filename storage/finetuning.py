"""What decides when a version is fine-tuned: the events that came after it, and the attempts so far."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, text

from storage import actors

_MARK = "finetune"

_COUNT = text(f"""
SELECT count(*) FROM events
WHERE item_id IS NOT NULL AND kind <> ALL(CAST(:without AS text[]))
    AND at > coalesce(CAST(:since AS timestamptz), '-infinity') AND {actors.counts("events")}
""")

# `value` is the version that was tried, a space, and how often.
_TRY = text("""
INSERT INTO watermarks (name, value) VALUES (:name, :version || ' 1')
ON CONFLICT (name) DO UPDATE SET value = CASE
    WHEN split_part(watermarks.value, ' ', 1) = :version
    THEN :version || ' ' || (split_part(watermarks.value, ' ', 2)::int + 1)
    ELSE :version || ' 1' END
""")

_TRIED = text("""
SELECT split_part(value, ' ', 2)::int FROM watermarks WHERE name = :name AND split_part(value, ' ', 1) = :version
""")

_FORGET = text("DELETE FROM watermarks WHERE name = :name")


def new_events(connection: Connection, since: datetime | None, *, without_kinds: Collection[str]) -> int:
    """Return how many events on items that count, of all kinds but those left out, happened after `since`."""
    parameters = {"since": since, "without": list(without_kinds)}
    return int(connection.execute(_COUNT, parameters).scalar_one())


def note_attempt(connection: Connection, version: str) -> None:
    """Count an attempt to fine-tune this version; commit it before the work, which may kill the process."""
    connection.execute(_TRY, {"name": _MARK, "version": version})


def attempts(connection: Connection, version: str) -> int:
    """Return how many attempts to fine-tune this version ended without a result."""
    return int(connection.execute(_TRIED, {"name": _MARK, "version": version}).scalar() or 0)


def forget_attempts(connection: Connection) -> None:
    """Begin to count anew: an attempt had a result."""
    connection.execute(_FORGET, {"name": _MARK})
