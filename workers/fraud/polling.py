"""Polling: a worker that was woken waits a while for more orders, since one order is often followed by others.

A task per order would cost as much as the order itself. The doorbell is answered last, so that nobody rings meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable

QUIET_SECONDS = 0.05
"""The worker stops after this long without an order."""
LONGEST_SECONDS = 1.0
"""The worker stops after this long in any case, so that the process can take other tasks, and signals.

It is shorter than a ring is valid.
"""
PAUSE_SECONDS = 0.002
"""Pause after each batch, and after each empty look: orders that come meanwhile share the next batch."""


def poll(drain: Callable[[], int], answer: Callable[[], object]) -> bool:
    """Call `drain`, which returns how many orders it processed, until none come; False if more may be waiting.

    `answer` is called before the last look: what is written after it rings again.
    """
    start = last = time.monotonic()
    while (now := time.monotonic()) - start < LONGEST_SECONDS:
        if drain():
            last = time.monotonic()
        elif now - last > QUIET_SECONDS:
            answer()
            return not drain()
        else:
            time.sleep(PAUSE_SECONDS)
    answer()
    return False
