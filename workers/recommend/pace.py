"""Pace: work that is worth doing a few times a second, but not before every batch."""

from __future__ import annotations

import time
from collections.abc import Callable

# Slow work is done less often, so that it takes at most a tenth of the time.
_REST = 9.0


class Pace:
    """Does some work at most once in `every` seconds, and remembers its result."""

    def __init__(self, *, every: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = every
        self._clock = clock
        self._next = float("-inf")
        self._came_of_it = False

    def keep(self, work: Callable[[], bool]) -> bool:
        """Return the result of `work`, done now or the last time. If it failed, it is done again the next time."""
        began = self._clock()
        if began >= self._next or not self._came_of_it:
            self._came_of_it = False
            self._came_of_it = work()
            took = self._clock() - began
            self._next = began + max(self._every, took + _REST * took)
        return self._came_of_it
