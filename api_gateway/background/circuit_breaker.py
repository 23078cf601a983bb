"""CircuitBreaker: whether to wait for a worker, or to take it for dead and answer at once."""

from __future__ import annotations

_LATE_ANSWERS = 20
_LATE_SECONDS = 0.5
"""So many answers were late, and none came in time for so long: nobody waits any more. A pause is not an outage."""
_TRIED_EVERY_SECONDS = 0.25


class CircuitBreaker:
    """Follows how answers come. Once nobody waits, one request is let wait now and then, and ends that by an answer."""

    def __init__(self) -> None:
        self._late = 0
        self._late_since = 0.0
        self._try_at = 0.0

    def may_wait(self, now: float) -> bool:
        """Return whether a request that comes now (seconds of a steady clock) is to wait for its answer."""
        if self._late < _LATE_ANSWERS or now - self._late_since < _LATE_SECONDS:
            return True
        if now < self._try_at:
            return False
        self._try_at = now + _TRIED_EVERY_SECONDS
        return True

    def note(self, now: float, *, in_time: bool) -> None:
        """Note how a request ended that waited."""
        if in_time:
            self._late = 0
            return
        if not self._late:
            self._late_since = now
        self._late += 1
