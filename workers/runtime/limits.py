"""Limits of a background process, so that requests are served first."""

from __future__ import annotations

import os
import resource

_GIB = 2**30


def cores_for(given: int, available: int) -> int:
    """Return how many of the available cores to use: `given`, or half of them if that is 0, and at least one."""
    return max(min(given or available // 2, available), 1)


def apply(*, cpus: int, memory_gb: float) -> None:
    """Limit this process and its children: cores (0: half of them), and memory in GiB (0: no limit).

    Call it before JAX is imported, which makes as many threads as there are cores. On systems without core affinity
    (macOS), the cores are not limited.
    """
    if hasattr(os, "sched_setaffinity"):
        available = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, available[-cores_for(cpus, len(available)) :])
    if memory_gb:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (int(memory_gb * _GIB), hard))
