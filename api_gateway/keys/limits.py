"""Limits of a key: requests in a second and in a day, counted in memory."""

from __future__ import annotations

import math
import time

_DAY = 86_400


class Limits:
    """What keys of one name may still use.

    The rate holds for this process: of a rate that several processes share, each gets its part. The day's count is that
    of the database as it was a second ago, and what came here since.
    """

    def __init__(self, rate: float | None, daily: int | None) -> None:
        self.rate = rate
        self.daily = daily
        self._tokens = self._most = max(rate or 0.0, 1.0)
        self._at = 0.0
        self._day = 0
        self._used = 0
        self.uncounted = 0
        """Requests that are not in the database yet."""

    def wait(self, now: float) -> float:
        """Count a request at `now` (unix seconds) and return 0, or the seconds until one is taken again."""
        if self.rate is not None and (late := self._refill(now, self.rate)) > 0:
            return late
        if self.daily is not None:
            if self._used_on(now) >= self.daily:
                return _DAY - now % _DAY
            self.uncounted += 1
        self._tokens -= 1.0
        return 0.0

    def counted(self, used: int, now: float) -> None:
        """Take over the day's count from the database, read at `now`."""
        self._day, self._used = int(now // _DAY), used

    def taken(self) -> int:
        """Return the requests to add to the database's count, which is then ahead until it is read again."""
        count, self.uncounted = self.uncounted, 0
        self._used += count
        return count

    def _used_on(self, now: float) -> int:
        if now // _DAY > self._day:
            self._day, self._used, self.uncounted = int(now // _DAY), 0, 0
        return self._used + self.uncounted

    def _refill(self, now: float, rate: float) -> float:
        self._tokens = min(self._most, self._tokens + max(now - self._at, 0.0) * rate)
        self._at = now
        return max(1.0 - self._tokens, 0.0) / rate


def retry_after(seconds: float) -> str:
    """Return the value of the header: whole seconds, at least one."""
    return str(max(1, math.ceil(seconds)))


def clock() -> float:
    """Return the time by which limits count, in unix seconds."""
    return time.time()
