"""A process that publishes, and kills itself at a chosen step; started by `test_publish.py`.

Reads a number a line, and for each forks a child that publishes and dies before its so-many-th step: a file of the
models' folder opened, made, renamed or deleted, a statement or a commit sent to Postgres. 0 lets it live. Answers each
with the child's wait status and how many steps it took. It forks before JAX has made its threads, so that thirty
children cost thirty publishings and one import.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from storage import engine as engines
from storage.registry import models
from workers.recommend.training import publish

_EVENTS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.scandir", "shutil.rmtree"}


class Steps:
    """Counts the steps of this process, and kills it before the last one allowed."""

    def __init__(self, last: int, folder: Path) -> None:
        self.count = 0
        self._last = last
        self._folder = str(folder)
        sys.addaudithook(self._audit)
        event.listen(Engine, "before_cursor_execute", self._step)
        event.listen(Engine, "commit", self._step)

    def _audit(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name in _EVENTS and str(arguments[0]).startswith(self._folder):
            self._step()

    def _step(self, *_: object) -> None:
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def publish_once(database_url: str, home: Path, candidate: publish.Candidate, cases: Any, last: int) -> int:
    """Publish, and return the steps that it took."""
    steps = Steps(last, home / "models")
    engine = engines.connect(database_url)
    with engine.connect() as connection:
        live = models.live(connection)
    outcome = publish.publish(engine, home, candidate, live, cases)
    assert outcome.published, outcome.reasons
    steps._step()  # the last one: everything is done
    return steps.count


def main() -> None:
    """Fork a child for each line."""
    warnings.simplefilter("ignore")  # JAX warns of forks in general; here it has no threads yet
    database_url, home, pickled = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    candidate, cases = pickle.loads(pickled.read_bytes())
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, str(publish_once(database_url, home, candidate, cases, int(line))).encode())
            os._exit(0)
        os.close(writing)
        _, status = os.waitpid(child, 0)
        counted = os.read(reading, 20).decode() or "0"
        os.close(reading)
        sys.stdout.write(f"{status} {counted}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
