"""Attempts to let a version learn on: counted before the work, which may kill the process."""

from __future__ import annotations

from sqlalchemy import Connection, text

FINETUNE = "finetune"
SEARCH = "update_search"

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


def note(connection: Connection, what: str, version: str) -> None:
    """Count an attempt to let this version learn on; commit it before the work."""
    connection.execute(_TRY, {"name": what, "version": version})


def count(connection: Connection, what: str, version: str) -> int:
    """Return how many attempts with this version ended without a result."""
    return int(connection.execute(_TRIED, {"name": what, "version": version}).scalar() or 0)


def forget(connection: Connection, what: str) -> None:
    """Begin to count anew: an attempt had a result."""
    connection.execute(_FORGET, {"name": what})
