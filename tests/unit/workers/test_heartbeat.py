"""Heartbeats: how long a process has been silent, and when that means that it hangs."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from workers import heartbeat


def _silent(path: Path, seconds: float) -> None:
    """Make the last heartbeat older."""
    heartbeat.beat(path)
    at = time.monotonic_ns() - int(seconds * 1e9)
    os.utime(path, ns=(at, at))


def test_a_heartbeat_is_as_old_as_it_is_long_ago(tmp_path: Path) -> None:
    path = heartbeat.file(tmp_path, "beat")
    assert heartbeat.age(path) is None
    heartbeat.beat(path)
    first = heartbeat.age(path)
    assert first is not None
    assert 0 <= first < 5
    _silent(path, 100)
    assert (heartbeat.age(path) or 0) >= 100


@pytest.mark.parametrize(
    ("silent", "uptime", "hangs"),
    [
        (heartbeat.HUNG_SECONDS / 2, 1000, False),
        (heartbeat.HUNG_SECONDS + 1, 1000, True),
        (heartbeat.HUNG_SECONDS + 1, heartbeat.HUNG_SECONDS, False),
    ],
    ids=["it has spoken", "it has fallen silent", "the one before it has fallen silent"],
)
def test_a_program_hangs_when_it_spoke_and_no_longer_does(
    tmp_path: Path, silent: float, uptime: float, hangs: bool
) -> None:
    path = heartbeat.file(tmp_path, "gateway")
    assert not heartbeat.is_hung(path, uptime)
    _silent(path, silent)
    assert heartbeat.is_hung(path, uptime) is hangs


def test_silent_children_are_found_beside_others(tmp_path: Path) -> None:
    heartbeat.beat(heartbeat.file(tmp_path, "worker-train", 1))
    _silent(heartbeat.file(tmp_path, "worker-train", 2), 60)
    _silent(heartbeat.file(tmp_path, "worker-search", 3), 60)
    assert heartbeat.hung_children(tmp_path, "worker-train") == [2]
