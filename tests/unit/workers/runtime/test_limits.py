"""A training process keeps to its share of the machine, and so do its children."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from workers.runtime import limits

_PROBE = """
import os, resource, subprocess, sys
from workers.runtime import limits
limits.apply(cpus=1, memory_gb=0.5)
bounds = "len(os.sched_getaffinity(0)), resource.getrlimit(resource.RLIMIT_DATA)[0]"
subprocess.run([sys.executable, "-c", f"import os, resource; print({bounds})"], check=True)
try:
    bytearray(2**30)
except MemoryError:
    print("refused")
"""


@pytest.mark.parametrize(
    ("given", "available", "expected"), [(0, 8, 4), (0, 2, 1), (0, 1, 1), (3, 8, 3), (9, 8, 8), (1, 1, 1)]
)
def test_half_of_the_cores_by_default(given: int, available: int, expected: int) -> None:
    assert limits.cores_for(given, available) == expected


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no core affinity")
def test_a_process_and_its_children_are_bound() -> None:
    found = subprocess.run([sys.executable, "-c", _PROBE], check=True, capture_output=True, text=True)
    cores, memory = found.stdout.splitlines()[0].split()
    assert (int(cores), int(memory)) == (1, 2**29)
    assert found.stdout.splitlines()[1] == "refused"
