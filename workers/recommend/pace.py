"""Pace: what is worth doing a few times a second, and not before every batch."""

from __future__ import annotations

import time
from collections.abc import Callable

# What takes long is done less often, so that it takes a tenth of the time at most.
_REST = 9.0


class Pace:
    """Does something at most once in `every` seconds, and remembers what came of it."""

    def __init__(self, *, every: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = every
        self._clock = clock
        self._next = float("-inf")
        self._came_of_it = False

    def keep(self, work: Callable[[], bool]) -> bool:
        """Return what came of `work`, done now or the last time. What failed is done again the next time."""
        began = self._clock()
        if began >= self._next or not self._came_of_it:
            self._came_of_it = False
            self._came_of_it = work()
            took = self._clock() - began
            self._next = began + max(self._every, took + _REST * took)
        return self._came_of_it
