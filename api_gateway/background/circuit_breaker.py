"""Circuit breaker: after repeated timeouts, answer by rules without waiting for the worker."""

from __future__ import annotations

_LATE_ANSWERS = 20
_LATE_SECONDS = 0.5
"""After late answers, and none in time, for this long, requests stop waiting. A short pause is not an outage."""
_TRIED_EVERY_SECONDS = 0.25


class CircuitBreaker:
    """Tracks late answers. While it is open, one request now and then still waits; an answer in time closes it."""

    def __init__(self) -> None:
        self._late = 0
        self._late_since = 0.0
        self._try_at = 0.0

    def may_wait(self, now: float) -> bool:
        """Return whether a request that comes at `now` (seconds of a steady clock) is to wait for its answer."""
        if self._late < _LATE_ANSWERS or now - self._late_since < _LATE_SECONDS:
            return True
        if now < self._try_at:
            return False
        self._try_at = now + _TRIED_EVERY_SECONDS
        return True

    def note(self, now: float, *, in_time: bool) -> None:
        """Record whether a request that waited got its answer in time."""
        if in_time:
            self._late = 0
            return
        if not self._late:
            self._late_since = now
        self._late += 1
