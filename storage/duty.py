"""Duty: what is computed from the tables in a rhythm keeps to a share of one core, in one process at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, TextClause, text

from storage.json import ascii_text

# One core at the most: the shelves that shoppers wait for are computed beside this.
_ALONE = text("SET LOCAL max_parallel_workers_per_gather = 0")
_NOW = text("SELECT extract(epoch FROM clock_timestamp())")
_MAKE_MARK = text("INSERT INTO watermarks VALUES (:name, '{}') ON CONFLICT DO NOTHING")
_READ_MARK = text("SELECT value FROM watermarks WHERE name = :name FOR UPDATE SKIP LOCKED")
_WRITE_MARK = text("UPDATE watermarks SET value = :value WHERE name = :name")

# The share of one core that one such computation may take.
_SHARE = 0.05


@dataclass(frozen=True)
class Run:
    """The last computation: what the tables had seen, when it ended (unix seconds), and how long it took (seconds)."""

    state: str = ""
    ended: float = 0.0
    seconds: float = 0.0


def do(connection: Connection, name: str, state: TextClause, work: Callable[[], object]) -> bool:
    """Do the work of this name in the caller's transaction if `state`, a query, tells of something new; say whether.

    Of several callers at once, one does the work and the others return False.
    """
    connection.execute(_MAKE_MARK, {"name": name})
    mark = connection.execute(_READ_MARK, {"name": name}).scalar()
    if mark is None:
        return False
    seen = str(connection.execute(state).scalar_one())
    start = float(connection.execute(_NOW).scalar_one())
    if not is_time(Run(**json.loads(mark)), seen, start):
        return False
    connection.execute(_ALONE)
    work()
    end = float(connection.execute(_NOW).scalar_one())
    connection.execute(_WRITE_MARK, {"name": name, "value": ascii_text(asdict(Run(seen, end, end - start)))})
    return True


def is_time(last: Run, state: str, now: float) -> bool:
    """Return whether something came in since the last run, and the run was long enough ago for what it cost."""
    return state != last.state and now - last.ended >= last.seconds / _SHARE
