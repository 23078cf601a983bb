"""Processor time by program, as the operating system accounts for it."""

from __future__ import annotations

import time
from collections.abc import Mapping

import psutil

from benchmarks import progress

_REST_SHARE = 0.25
"""Of a core: less than this counts as rest, since a reshelf without work still looks around."""


def seconds(programs: Mapping[int, str]) -> dict[str, float]:
    """Return the CPU seconds, user and system, that each program has used since it started.

    `programs` names processes by their ids. A process belongs to its nearest ancestor named there, itself included;
    what its children used that have ended stands in its own account.
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
    """Return what each program used between the two accounts, in seconds."""
    return {name: spent - before.get(name, 0.0) for name, spent in after.items()}


def wait_for_rest(programs: Mapping[int, str], *, window: float = 3.0, timeout: float = 180.0) -> None:
    """Wait until all programs together use less than a quarter of a core for `window` seconds.

    Empty queues do not say that a worker is done with what it took last. Says so, and returns, after `timeout` seconds.
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
