"""Throttle: run some work again when something came in, by one worker at a time, within a share of one core.

A row of `watermarks` is the lock; it holds the state that the last run saw, when it ended, and how long it took.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, TextClause, text

from storage.json import ascii_text

_MAKE_MARK = text("INSERT INTO watermarks VALUES (:name, '{}') ON CONFLICT DO NOTHING")
_READ_MARK = text("SELECT value FROM watermarks WHERE name = :name FOR UPDATE SKIP LOCKED")
_WRITE_MARK = text("UPDATE watermarks SET value = :value WHERE name = :name")
_NOW = text("SELECT extract(epoch FROM clock_timestamp())")
# At most one core, because requests are served at the same time.
_ALONE = text("SET LOCAL max_parallel_workers_per_gather = 0")

_DUTY = 0.02


@dataclass(frozen=True)
class Run:
    """The last run: the state that it saw, when it ended (unix seconds), and how long it took (seconds)."""

    state: str = ""
    ended: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Shift:
    """A run in progress: the name of its work, the state that it sees, and when it began (unix seconds)."""

    name: str
    state: str
    began: float


def begin(connection: Connection, name: str, state: TextClause) -> Shift | None:
    """Begin the work of this name, exclusively until the transaction ends; None if it is not time yet or another runs.

    `state` is a query that returns one text, which changes when there is something to do.
    """
    connection.execute(_MAKE_MARK, {"name": name})
    mark = connection.execute(_READ_MARK, {"name": name}).scalar()
    if mark is None:
        return None
    seen = str(connection.execute(state).scalar_one())
    now = float(connection.execute(_NOW).scalar_one())
    if not is_time(Run(**json.loads(mark)), seen, now):
        return None
    connection.execute(_ALONE)
    return Shift(name, seen, now)


def end(connection: Connection, shift: Shift) -> None:
    """Record that the work is done, in the transaction that did it."""
    now = float(connection.execute(_NOW).scalar_one())
    run = Run(shift.state, now, now - shift.began)
    connection.execute(_WRITE_MARK, {"name": shift.name, "value": ascii_text(asdict(run))})


def is_time(last: Run, state: str, now: float) -> bool:
    """Return whether something came in since the last run, and that run was long enough ago for what it cost."""
    return state != last.state and now - last.ended >= last.seconds / _DUTY
