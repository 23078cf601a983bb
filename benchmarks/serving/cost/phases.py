"""The phases: intervals with some load, and what everything used in them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection
from redis import Redis

from benchmarks.serving.cost import accounts, counts, statements, traffic
from benchmarks.serving.cost.counts import Counts
from benchmarks.serving.cost.system import System
from benchmarks.serving.cost.traffic import Load, Sender, Sent

_LOOK_SECONDS = 0.5
_QUIET_LOOKS = 2
_LOST_LOOKS = 60
_PATIENCE = 600.0
_HAS_LATER = "SELECT 1 FROM information_schema.columns WHERE table_name = 'due' AND column_name = 'later'"


@dataclass(frozen=True)
class Phase:
    """One phase. Times are in seconds; `used` is CPU by program, including the drain.

    `counted` are the events of this phase in the table.
    """

    sent: Sent
    counted: int
    used: dict[str, float]
    drain: float
    before: Counts
    after: Counts

    @property
    def shoppers(self) -> int:
        """How many shelves of shoppers were ranked again."""
        return self.after.shoppers - self.before.shoppers

    @property
    def bells(self) -> int:
        """How many tasks the system sent to itself, including periodic ones."""
        return self.after.pushes - self.before.pushes - self.sent.messages


class Meter:
    """Reads all counters of one running system; its own use of Postgres is left out."""

    def __init__(self, system: System, programs: Mapping[int, str], database: Connection[Any], redis: Redis) -> None:
        self._system = system
        self._database = database
        self._redis = redis
        self._programs = dict(programs) | {database.info.backend_pid: statements.APPLICATION}
        not_later = " AND NOT later" if database.execute(_HAS_LATER).fetchone() else ""
        self._due = f"SELECT count(*) FROM due WHERE kind = 'shopper'{not_later}"

    @property
    def logs(self) -> Path:
        """The folder with the servers' logs."""
        return self._system.home / "logs"

    @property
    def database(self) -> Connection[Any]:
        """The benchmark's own connection."""
        return self._database

    def idle(self, seconds: float) -> dict[str, float]:
        """Return the CPU seconds per second that each program uses without traffic."""
        before, start = self._used(), time.monotonic()
        time.sleep(seconds)
        return {
            name: spent / (time.monotonic() - start)
            for name, spent in accounts.difference(before, self._used()).items()
        }

    def traffic(self, load: Load) -> Phase:
        """Send the load and wait until it is processed; return what that took.

        Raises TimeoutError if it is not processed after ten minutes, and RuntimeError if an event is missing.
        """
        sender = Sender(self._system.broker_url, load)
        # Pages are logged whole the first time after a checkpoint, so each phase begins with one.
        self._database.execute("CHECKPOINT")
        before, used = self._counts(), self._used()
        sent = sender.run()
        start = time.monotonic()
        after_used, counted = self._drained(load, sent.events)
        drain = time.monotonic() - start
        return Phase(sent, counted, accounts.difference(used, after_used), drain, before, self._counts())

    def _drained(self, load: Load, events: int) -> tuple[dict[str, float], int]:
        """Wait until nothing is due; return the CPU seconds used by then, and the events of the load that came in."""
        until = time.monotonic() + _PATIENCE
        quiet = 0
        while time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
            # More than once: between the queue and the table a message is briefly in neither.
            quiet = quiet + 1 if self._backlog() == 0 else 0
            if quiet >= _QUIET_LOOKS:
                used = self._used()
                counted = self._standing(load)
                if counted == events:
                    return used, counted
                if quiet >= _LOST_LOOKS:
                    raise RuntimeError(f"{events} events were sent, and {counted} of them stand in the table")
        raise TimeoutError(f"after {_PATIENCE:.0f} s messages or shoppers still wait: {self._backlog()}")

    def _backlog(self) -> int:
        waiting = int(self._redis.llen(traffic.QUEUE))
        return waiting or self._number(self._due)

    def _standing(self, load: Load) -> int:
        return self._number("SELECT count(*) FROM events WHERE starts_with(event_id, %s)", load.prefix)

    def _number(self, query: str, *parameters: object) -> int:
        row = self._database.execute(query, parameters).fetchone()
        assert row is not None
        return int(row[0])

    def _used(self) -> dict[str, float]:
        used = accounts.seconds(self._programs)
        used.pop(statements.APPLICATION)
        return used

    def _counts(self) -> Counts:
        return counts.read(self._database, self._redis, self._system.metrics_ports)


@contextmanager
def metering(system: System) -> Iterator[Meter]:
    """Yield a meter of the system once it is idle. Raises RuntimeError at the end if a program was restarted."""
    programs = system.programs()
    with (
        Redis.from_url(system.broker_url) as redis,
        psycopg.connect(system.database_url, autocommit=True, application_name=statements.APPLICATION) as database,
    ):
        accounts.wait_for_rest(programs)
        yield Meter(system, programs, database, redis)
    if (now := system.programs()) != programs:
        raise RuntimeError(f"a program was restarted, so its account is wrong: {programs} became {now}")


def prefix(name: str) -> str:
    """Return the prefix of the ids of a phase's events, different from that of any other phase."""
    return f"{name}-{uuid.uuid4().hex[:8]}-"
