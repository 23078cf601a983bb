"""Programs that are stopped, but not dead: they are noticed, said of, and replaced."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.support.waiting import wait_until
from workers.supervisor import control
from workers.supervisor.installation import Installation

_STOPPED = ("worker-intake", "worker-search", "beat", "gateway", "flower")
_STOPPED_CHILDREN = ("worker-recommend", "worker-train")


@pytest.fixture(name="home", scope="module")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Everything, running."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RESHELF_")}
    made = Installation(tmp_path_factory.mktemp("hung") / "home", environ)
    made.start()
    yield made
    made.stop()


def _pids(home: Installation) -> dict[str, int]:
    return {one.name: one.pid for one in control.running(control.socket_path(home.home))}


def _beating_children(home: Installation, name: str) -> list[int]:
    return sorted(int(path.suffix[1:]) for path in (home.home / "heartbeats").rglob(f"{name}.*"))


def test_what_is_stopped_is_noticed_and_replaced(home: Installation) -> None:
    before = _pids(home)
    wait_until(
        lambda: all(_beating_children(home, name) for name in _STOPPED_CHILDREN), what="heartbeats of the children"
    )
    children = {name: _beating_children(home, name) for name in _STOPPED_CHILDREN}
    for name in _STOPPED:
        os.kill(before[name], signal.SIGSTOP)
    for pids in children.values():
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
    os.kill(before["redis"], signal.SIGSTOP)

    def is_replaced() -> bool:
        now = _pids(home)
        whole = all(now.get(name) not in (None, before[name]) for name in _STOPPED)
        beating = {name: _beating_children(home, name) for name in _STOPPED_CHILDREN}
        return whole and all(beating[name] and not set(beating[name]) & set(children[name]) for name in beating)

    wait_until(is_replaced, what="every stopped process replaced")
    wait_until(lambda: home.status()["state"] == "running", what="all of it healthy")
    after = _pids(home)
    # Servers are continued: nothing of theirs is lost. What was not stopped is the process that it was.
    assert after["redis"] == before["redis"]
    for name in ("postgres", "worker-recommend", "worker-train", "worker-fraud", "worker-background"):
        assert after[name] == before[name]
    # A program counts as running while it starts.
    asked = ("beat", "gateway", "worker-recommend")
    wait_until(lambda: all(home.run("health", name).returncode == 0 for name in asked), what="all of it answers")
