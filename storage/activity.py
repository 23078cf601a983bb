"""What the server's connections are doing."""

from __future__ import annotations

from sqlalchemy import Connection, text

_WRITES = text("""
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = :application AND backend_xid IS NOT NULL
)
""")


def is_writing(connection: Connection, application: str) -> bool:
    """Return whether a connection of that name is in a transaction that has written, and so may hold locks on rows."""
    return bool(connection.execute(_WRITES, {"application": application}).scalar_one())
