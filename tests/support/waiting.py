"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds that a test waits at most: a machine that is busy with other work takes ten times as long as an idle one.
PATIENCE = 150


def wait_until(condition: Callable[[], bool], *, what: str) -> float:
    """Return how long it took until `condition` held; fail saying `what` did not happen."""
    start = time.monotonic()
    while time.monotonic() - start < PATIENCE:
        if condition():
            return time.monotonic() - start
        time.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE} s: {what}")
