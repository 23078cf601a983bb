"""The watchdog: a child that is stopped is killed, and others are left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from workers import heartbeat
from workers.runtime.watchdog import Watchdog

_BEATING = "import time; from workers.runtime import watchdog; watchdog.beat_as_child(); time.sleep(600)"


@pytest.fixture(name="children")
def _children(tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two processes that beat as children of a worker do."""
    environ = {**os.environ, "RESHELF_HOME": str(tmp_path), "_RESHELF_PROGRAM": "worker-x"}
    made = [subprocess.Popen([sys.executable, "-c", _BEATING], env=environ) for _ in range(2)]
    files = [heartbeat.file(tmp_path, "worker-x", child.pid) for child in made]
    wait_until(lambda: all(file.exists() for file in files), what="the first heartbeats")
    yield made
    for child in made:
        child.kill()
        child.wait()


def test_a_stopped_child_is_killed_and_a_running_one_is_not(
    tmp_path: Path, children: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "HUNG_SECONDS", 3.0)
    runs, stopped = children
    watchdog = Watchdog(tmp_path, "worker-x", lambda: [child.pid for child in children])
    assert watchdog.look() == []
    os.kill(stopped.pid, signal.SIGSTOP)
    killed: list[int] = []

    def has_killed() -> bool:
        killed.extend(watchdog.look())
        return bool(killed)

    wait_until(has_killed, what="a killed child")
    assert killed == [stopped.pid]
    assert stopped.wait(10) == -signal.SIGKILL
    assert runs.poll() is None


def test_files_of_children_that_are_gone_are_deleted(tmp_path: Path, children: list[subprocess.Popen[bytes]]) -> None:
    old = heartbeat.file(tmp_path, "worker-x", 999_999)
    heartbeat.beat(old)
    Watchdog(tmp_path, "worker-x", lambda: [child.pid for child in children]).look()
    assert not old.exists()
    assert all(heartbeat.file(tmp_path, "worker-x", child.pid).exists() for child in children)
