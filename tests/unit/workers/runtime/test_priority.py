"""Standing back: lower priority, and turns that others may interrupt, for the process and what it starts."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from workers.runtime import priority

SHOW = (
    "import os; print(os.nice(0)); print(open('/proc/self/sched').read() if os.path.exists('/proc/self/sched') else '')"
)
SCRIPT = f"""
import subprocess, sys
from workers.runtime import priority
priority.stand_back(7)
subprocess.run([sys.executable, "-c", {SHOW!r}], check=True)
"""


def _child() -> list[str]:
    return subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout.split("\n")


def test_what_stands_back_is_nicer_and_so_is_what_it_starts() -> None:
    assert _child()[0] == str(min(os.nice(0) + 7, 19))


@pytest.mark.skipif(
    not os.path.exists("/proc/self/sched")
    or platform.machine() not in priority._SCHED_SETATTR
    or tuple(map(int, platform.release().split(".")[:2])) < (6, 12),
    reason="only Linux knows turns of a wished length, from 6.12 on",
)
def test_what_stands_back_takes_long_turns_and_so_does_what_it_starts() -> None:
    [turn] = [line.split(":")[1] for line in _child() if line.startswith("se.slice ")]
    assert int(turn) == 100_000_000
