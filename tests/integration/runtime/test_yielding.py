"""A worker's tasks are halted while shoppers wait: real processes, and the database that says who waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine, text

from reshelf import client, tasks
from storage import activity, due, engine
from tests.support import stack, waiting
from workers.runtime.yielding import Yielder

APPLICATION = "test-of-yielding"


@pytest.fixture
def busy() -> Iterator[psutil.Process]:
    """A process that computes without end."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    yield psutil.Process(process.pid)
    process.kill()
    process.wait()


@pytest.fixture
def yielder(database: Engine, busy: psutil.Process) -> Iterator[Yielder]:
    made = Yielder(database, APPLICATION, busy=lambda: True, pids=lambda: [busy.pid])
    made.start()
    yield made
    made.close()


def halted(process: psutil.Process) -> bool:
    return bool(process.status() == psutil.STATUS_STOPPED)


def waits(database: Engine, shopper: str = "shopper", seconds: int = 5) -> None:
    with database.begin() as connection:
        due.mark(connection, due.SHOPPER, [shopper])
        connection.execute(text("UPDATE due SET since = now() - :s * interval '1 second'"), {"s": seconds})


def test_work_is_halted_while_a_shopper_waits_and_goes_on_afterwards(
    database: Engine, busy: psutil.Process, yielder: Yielder
) -> None:
    waits(database)
    waiting.wait_until(lambda: halted(busy), what="the work is halted")
    with database.begin() as connection:
        due.clear(connection, due.SHOPPER, due.claim(connection, due.SHOPPER, limit=9, lease=60))
    waiting.wait_until(lambda: not halted(busy), what="the work goes on")


def test_work_goes_on_now_and_then_however_long_shoppers_wait(
    database: Engine, busy: psutil.Process, yielder: Yielder
) -> None:
    waits(database)
    waiting.wait_until(lambda: halted(busy), what="the work is halted")
    waiting.wait_until(lambda: not halted(busy), what="the work goes on")
    waiting.wait_until(lambda: halted(busy), what="the work is halted again")


def test_work_that_is_halted_goes_on_when_its_worker_ends(
    database: Engine, busy: psutil.Process, yielder: Yielder
) -> None:
    waits(database)
    waiting.wait_until(lambda: halted(busy), what="the work is halted")
    yielder.close()
    assert not halted(busy)


def test_who_may_hold_locks_is_seen_by_the_name_of_the_connection(
    database: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGAPPNAME", APPLICATION)
    worker = engine.connect(database_url)

    def is_writing(application: str = APPLICATION) -> bool:
        with database.connect() as looking:
            return activity.is_writing(looking, application)

    with worker.begin() as connection:
        due.summary(connection)
        assert not is_writing()
        due.mark(connection, due.SHOPPER, ["shopper"])
        assert is_writing()
        assert not is_writing("another")
    assert not is_writing()
    worker.dispose()


def test_a_training_is_halted_and_goes_on_when_its_worker_is_killed(
    tmp_path: Path, database_url: str, broker_url: str
) -> None:
    settings = stack.settings_for(tmp_path, database_url, broker_url)
    with stack.running(settings, "train") as running:
        waits(running.database)
        sender = client.sender(broker_url)
        sender.send_task(tasks.TRAIN, queue=tasks.TRAIN_QUEUE)
        sender.close()
        worker = psutil.Process(running.processes["train"].pid)
        waiting.wait_until(lambda: any(map(halted, worker.children())), what="the training is halted")
        [child] = [child for child in worker.children() if halted(child)]
        os.kill(worker.pid, signal.SIGKILL)
        waiting.wait_until(lambda: not child.is_running() or not halted(child), what="the training goes on")
