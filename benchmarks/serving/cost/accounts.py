"""CPU time by program, as accounted by the operating system."""

from __future__ import annotations

import time
from collections.abc import Mapping

import psutil

from benchmarks import progress

_REST_SHARE = 0.25
"""Less than this share of a core counts as idle, since a reshelf without work still polls."""


def seconds(programs: Mapping[int, str]) -> dict[str, float]:
    """Return the CPU seconds, user and system, that each program has used since it started.

    `programs` names processes by their ids. A process belongs to its nearest ancestor named there, itself included; the
    time of ended children is in its own account.
    """
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for process in psutil.process_iter(["ppid", "cpu_times"]):
        parents[process.pid] = process.info["ppid"]
        times = process.info["cpu_times"]
        used[process.pid] = sum(times[:4]) if times else 0.0  # the fifth is time that waited for a disk
    total: dict[str, float] = {}
    for pid, spent in used.items():
        name = _owner(pid, parents, programs)
        if name is not None:
            total[name] = total.get(name, 0.0) + spent
    return total


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return what each program used between the two readings, in seconds."""
    return {name: spent - before.get(name, 0.0) for name, spent in after.items()}


def wait_for_rest(programs: Mapping[int, str], *, window: float = 3.0, timeout: float = 180.0) -> None:
    """Wait until all programs together use less than a quarter of a core for `window` seconds.

    Empty queues do not mean that a worker has finished its last message. After `timeout` seconds it says so and
    returns.
    """
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        before = sum(seconds(programs).values())
        time.sleep(window)
        share = (sum(seconds(programs).values()) - before) / window
        if share < _REST_SHARE:
            return
    progress.say(f"still {share:.0%} of a core in use after {timeout:.0f} s: what is measured now includes that")


def _owner(pid: int, parents: Mapping[int, int], programs: Mapping[int, str]) -> str | None:
    while pid in parents:
        if pid in programs:
            return programs[pid]
        pid = parents[pid]
    return None
