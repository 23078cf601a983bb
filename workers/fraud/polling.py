"""Attending: a worker that was rung stays at the door for a while, since where one order came, others follow.

A task for each order would cost as much as the order. The bell is answered last, so that nobody rings meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable

QUIET_SECONDS = 0.05
"""Nothing came for this long: the worker goes."""
LONGEST_SECONDS = 1.0
"""After this it goes anyway, so that the process takes other tasks, and signals; shorter than a ring is valid."""
PAUSE_SECONDS = 0.002
"""After each batch, and each look in vain: what comes meanwhile shares the next batch, which costs little more then."""


def attend(drain: Callable[[], int], answer: Callable[[], object]) -> bool:
    """Call `drain`, which returns how many orders it worked on, until nothing comes; False where more may be waiting.

    `answer` is called before the last look: what is written after that rings anew.
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
