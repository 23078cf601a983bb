"""Which times are plausible: one rule at every door, for events, catalogue changes, orders, labels and files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""What is dated before comes from a clock that was never set (1970, 1980), or from a number in another unit."""

MAX_SKEW = timedelta(hours=24)
"""How far the clock of a sender may be ahead."""


def bounds(now: datetime | None = None) -> tuple[datetime, datetime]:
    """Return the earliest and the latest time that is taken at `now` (UTC), both included."""
    return EARLIEST, (now or datetime.now(UTC)) + MAX_SKEW
