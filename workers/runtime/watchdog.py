"""The watchdog of a worker: it says that the worker runs, and ends a child that hangs.

Celery replaces a child that dies, and gives its task back, but waits for ever for one that is stopped, or stuck in a
call. A task that runs for too long is ended by its time limit; this is for what no longer runs at all.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from celery import bootsteps

from workers import heartbeat
from workers import settings as configuration
from workers.runtime import metrics

log = logging.getLogger(__name__)

_LOOK_SECONDS = 2.0
PROGRAM = "_RESHELF_PROGRAM"
"""The variable that tells a worker's children what they belong to."""


def beat_as_child() -> None:
    """Beat from now on as a child of the worker that started this process."""
    program = os.environ.get(PROGRAM)
    if program is not None:
        heartbeat.keep_beating(heartbeat.file(configuration.load().home, program, os.getpid()))


class Watchdog:
    """Looks after the children of a worker, on its own thread, until it is closed. `pids` returns their process ids."""

    def __init__(self, home: Path, program: str, pids: Callable[[], Iterable[int]]) -> None:
        self._home = home
        self._program = program
        self._pids = pids
        self._looked = time.monotonic()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop the thread."""
        self._closed.set()
        self._thread.join(10)

    def look(self) -> list[int]:
        """Kill the children that hang, and return their process ids."""
        now = time.monotonic()
        # Where this process was stopped itself, the children may have been, too: they get time to speak.
        if now - self._looked > heartbeat.HUNG_SECONDS:
            self._looked = now
            return []
        self._looked = now
        alive = list(self._pids())
        hung = [pid for pid in alive if (heartbeat.age(self._file(pid)) or 0.0) > heartbeat.HUNG_SECONDS]
        for pid in hung:
            log.error("child %d has not run for %.0f s: killed", pid, heartbeat.HUNG_SECONDS)
            metrics.HUNG.inc()
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._forget(alive)
        return hung

    def _run(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            self.look()

    def _file(self, pid: int) -> Path:
        return heartbeat.file(self._home, self._program, pid)

    def _forget(self, alive: Iterable[int]) -> None:
        """Delete the files of children that are gone."""
        own = {self._file(pid).name for pid in alive}
        mine = heartbeat.file(self._home, self._program)
        for path in mine.parent.glob(f"{mine.name}.*"):
            if path.name not in own:
                path.unlink(missing_ok=True)


class Watching(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery ships no types
    """The part of a worker that beats, and looks after its children."""

    requires = ("celery.worker.components:Pool", "celery.worker.components:Timer")

    def __init__(self, worker: Any, **_: Any) -> None:
        self._watchdog: Watchdog | None = None
        self._timer: Any = None

    def start(self, worker: Any) -> None:
        """Beat from the worker's own loop, and start the watchdog where there are child processes."""
        home, program = configuration.load().home, os.environ[PROGRAM]
        file = heartbeat.file(home, program)
        heartbeat.beat(file)
        self._timer = worker.timer.call_repeatedly(heartbeat.EVERY_SECONDS, heartbeat.beat, (file,))
        if "processes" in worker.pool.info:
            self._watchdog = Watchdog(home, program, lambda: worker.pool.info["processes"])
            self._watchdog.start()

    def stop(self, worker: Any) -> None:
        """Stop the watchdog. The beat goes on while tasks finish."""
        if self._watchdog is not None:
            self._watchdog.close()
            self._watchdog = None
