"""The pure decisions of the reconciler."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from storage import retention
from storage.due import Backlog
from workers.runtime import reconcile


def test_it_rings_only_for_what_nobody_works_on() -> None:
    backlogs = [Backlog("item", 5, 0, 1.0), Backlog("shopper", 5, 2, 1.0)]
    assert reconcile.to_ring(backlogs) == ["shopper"]
    assert reconcile.to_ring([]) == []


@pytest.mark.parametrize(
    ("newest", "days", "first"),
    [
        (datetime(2026, 5, 20, tzinfo=UTC), 20, datetime(2026, 4, 1, tzinfo=UTC)),
        (datetime(2026, 5, 20, tzinfo=UTC), 19, datetime(2026, 5, 1, tzinfo=UTC)),
        (datetime(2026, 1, 1, tzinfo=UTC), 1, datetime(2025, 12, 1, tzinfo=UTC)),
    ],
)
def test_retention_keeps_every_month_that_holds_a_young_event(newest: datetime, days: int, first: datetime) -> None:
    assert retention.first_kept_month(newest, timedelta(days=days)) == first
