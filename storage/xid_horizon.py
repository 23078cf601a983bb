"""The transaction id below which every change is visible: how a reader follows a table without missing a commit."""

from __future__ import annotations

from sqlalchemy import Connection, text

# Everything below the snapshot's xmin is visible, anything at or above it may still commit: reading from there next
# time sees each change at least once, in whatever order the transactions commit.
_FOLLOWING = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")


def following(connection: Connection) -> int:
    """Return the `changed_xid` from which to read next time. Call it before reading the current changes."""
    horizon: int = connection.execute(_FOLLOWING).scalar_one()
    return horizon
