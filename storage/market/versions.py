"""Versions of the market analysis: a run is one version; readers take the newest that is finished."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from storage import locks
from storage.json import ascii_text

RUNNING, FINISHED, FAILED = "running", "finished", "failed"
KEPT = 7
"""The newest finished versions that are kept, and as many failed ones."""

_LOCK = "reshelf.market"
_INTERRUPTED = "interrupted: its process ended before it was done"

# Nobody runs it while the caller holds the lock: what is called running was killed.
_BURY = text(f"UPDATE market_versions SET state = '{FAILED}', error = :why WHERE state = '{RUNNING}'")
_BEGIN = text("INSERT INTO market_versions DEFAULT VALUES RETURNING version")
_FINISH = text(f"""
UPDATE market_versions SET state = '{FINISHED}', finished_at = clock_timestamp(), through = :through,
    currency = :currency, notes = CAST(:notes AS jsonb)
WHERE version = :version
""")
_FAIL = text(f"UPDATE market_versions SET state = '{FAILED}', error = :why WHERE version = :version")
_COLUMNS = "version, finished_at, through, currency, notes"
_NEWEST = text(f"SELECT {_COLUMNS} FROM market_versions WHERE state = '{FINISHED}' ORDER BY version DESC LIMIT 1")
_NAMED = text(f"SELECT {_COLUMNS} FROM market_versions WHERE state = '{FINISHED}' AND version = :version")
_RETIRE = text("""
DELETE FROM market_versions WHERE version IN (
    SELECT version FROM (
        SELECT version, row_number() OVER (PARTITION BY state ORDER BY version DESC) AS age FROM market_versions
    ) AS aged WHERE age > :kept
)
""")
_STATE = text(f"""
SELECT extract(epoch FROM now() - (SELECT max(started_at) FROM market_versions WHERE state = '{FINISHED}')) AS age,
    (SELECT max(at) FROM events WHERE kind = 'purchase' AND at <= now()) AS newest,
    (SELECT max(through) FROM market_versions) AS through
""")


class Runs(RuntimeError):
    """Another process analyses the market now."""


@dataclass(frozen=True)
class Version:
    """A finished version: when it was, the newest purchase that it saw, the shop's currency, and notes on it."""

    version: int
    finished_at: datetime
    through: datetime
    currency: str | None
    notes: tuple[str, ...]


@contextmanager
def exclusive(engine: Engine) -> Iterator[None]:
    """Hold the lock for one analysis at a time; it is released also when this process dies. Raises `Runs`."""
    with locks.tried(engine, _LOCK) as is_held:
        if not is_held:
            raise Runs("another process analyses the market already; its version is there when it is done")
        yield


def begin(connection: Connection) -> int:
    """Begin a version, and return its number; the caller holds the lock. What was interrupted counts as failed."""
    connection.execute(_BURY, {"why": _INTERRUPTED})
    return int(connection.execute(_BEGIN).scalar_one())


def finish(
    connection: Connection, version: int, *, through: datetime, currency: str | None, notes: Sequence[str]
) -> None:
    """Let readers take the version, in the transaction that wrote its results; delete versions that are too old."""
    values = {"through": through, "currency": currency, "notes": ascii_text(list(notes))}
    connection.execute(_FINISH, {"version": version, **values})
    retire(connection)


def fail(connection: Connection, version: int, why: str) -> None:
    """Mark the version as failed."""
    connection.execute(_FAIL, {"version": version, "why": why})


def retire(connection: Connection) -> int:
    """Delete all but the newest `KEPT` versions of each state, with their results; return how many."""
    return connection.execute(_RETIRE, {"kept": KEPT}).rowcount


def newest(connection: Connection) -> Version | None:
    """Return the newest finished version, None before the first."""
    return _version(connection.execute(_NEWEST).one_or_none())


def named(connection: Connection, version: int) -> Version | None:
    """Return a finished version, None if it is not kept."""
    return _version(connection.execute(_NAMED, {"version": version}).one_or_none())


def is_due(connection: Connection, hours: float) -> bool:
    """Return whether the last finished version is `hours` old, and a purchase is newer than what it saw.

    With `hours` of 0 it never is.
    """
    state = connection.execute(_STATE).one()
    if not hours or state.newest is None or (state.age is not None and state.age < hours * 3600):
        return False
    return state.through is None or bool(state.newest > state.through)


def _version(row: Row[Any] | None) -> Version | None:
    if row is None:
        return None
    return Version(row.version, row.finished_at, row.through, row.currency, tuple(row.notes))
