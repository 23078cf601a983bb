"""Yielding: a worker's tasks are halted (SIGSTOP) while shoppers wait for their shelves, and continued afterwards.

Niceness gives others more of a core. But a training still takes caches and memory bandwidth from them: on two cores,
ranking next to a training does a third less. A halted task takes nothing.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from celery import bootsteps
from celery.worker import state
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from storage import activity, due
from workers.runtime import bootstrap

log = logging.getLogger(__name__)

LONG_WAIT, SHORT_WAIT = 0.5, 0.2
"""Tasks are halted when a shopper has waited for the first number of seconds, and continued below the second."""
LONGEST_HALT, SHORTEST_RUN = 3.0, 1.0
"""Seconds. A task gets at least a quarter of the time, however long shoppers wait."""
_LOOK_SECONDS = 0.2


class Look(NamedTuple):
    """What was observed: how long a shopper waits, in seconds, and whether a task's transaction has written."""

    wait: float
    writes: bool


def is_halted(look: Look, halted: bool, seconds: float) -> bool:
    """Decide whether tasks, which have been `halted` or running for `seconds`, are to be halted from now on.

    A task in a transaction that has written is not halted: others may wait for its locks.
    """
    if look.writes:
        return False
    if halted:
        return look.wait > SHORT_WAIT and seconds < LONGEST_HALT
    return look.wait > LONG_WAIT and seconds >= SHORTEST_RUN


class Yielder:
    """Halts and continues processes, on its own thread, until it is closed.

    `busy` says whether they have anything to do, `pids` returns their process ids.
    """

    def __init__(
        self, engine: Engine, application: str, busy: Callable[[], bool], pids: Callable[[], Iterable[int]]
    ) -> None:
        self._engine = engine
        self._application = application
        self._busy = busy
        self._pids = pids
        self._halted: list[int] = []
        self._since = time.monotonic()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="yielding", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Continue what is halted, and stop the thread."""
        self._closed.set()
        self._thread.join(10)

    def _run(self) -> None:
        try:
            while not self._closed.wait(_LOOK_SECONDS):
                # A task that was halted in a transaction that has written is continued at once.
                if (self._busy() or self._halted) and self._step() and self._halted:
                    self._step()
        finally:
            self._continue()

    def _step(self) -> bool:
        """Look and act; return whether that changed anything."""
        halted = bool(self._halted)
        to_halt = is_halted(self._look(), halted, time.monotonic() - self._since)
        if to_halt == halted:
            return False
        if to_halt:
            self._halt()
        else:
            self._continue()
        self._since = time.monotonic()
        return True

    def _look(self) -> Look:
        try:
            with self._engine.connect() as connection:
                return Look(due.longest_wait(connection), activity.is_writing(connection, self._application))
        except SQLAlchemyError as error:
            log.warning("whether shoppers wait cannot be read: %s", str(error).partition("\n")[0])
            return Look(0.0, writes=False)

    def _halt(self) -> None:
        self._halted = list(self._pids())
        _send(self._halted, signal.SIGSTOP)

    def _continue(self) -> None:
        _send(self._halted, signal.SIGCONT)
        self._halted = []


class Yielding(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery ships no types
    """The part of a worker that halts its child processes."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **_: Any) -> None:
        self._yielder: Yielder | None = None

    def start(self, worker: Any) -> None:
        """Start the yielder."""
        self._yielder = Yielder(
            bootstrap.services().engine,
            os.environ["PGAPPNAME"],
            busy=lambda: bool(state.active_requests),
            pids=lambda: worker.pool.info["processes"],
        )
        self._yielder.start()

    def stop(self, worker: Any) -> None:
        """Continue what is halted, and stop the yielder."""
        if self._yielder is not None:
            self._yielder.close()
            self._yielder = None


def _send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
