"""The pure decisions of the reconciler."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reshelf import tasks
from storage import due, retention
from storage.due import Backlog
from workers import capabilities
from workers.upkeep import reconcile


def test_it_rings_only_for_what_nobody_works_on() -> None:
    backlogs = [Backlog("item", 5, 0, 1.0), Backlog("shopper", 5, 2, 1.0)]
    assert reconcile.to_ring(backlogs) == ["shopper"]
    assert reconcile.to_ring([]) == []


@pytest.mark.parametrize(
    ("backlogs", "rung"),
    [
        ([Backlog("shopper", 9, 0, 1.0, claimable_later=4)], ["later"]),
        ([Backlog("item", 9, 0, 1.0, claimable_later=4)], ["later"]),
        ([Backlog("item", 9, 1, 1.0, 4), Backlog("shopper", 9, 2, 1.0, 4)], ["item", "shopper", "later"]),
        ([Backlog("item", 9, 0, 1.0, 4), Backlog("shopper", 9, 2, 1.0)], ["shopper", "later"]),
        ([Backlog("basket", 9, 0, 1.0, claimable_later=4)], ["basket"]),  # one process does all of it
        ([Backlog("reason", 9, 3, 1.0), Backlog("order", 9, 0, 1.0)], ["reason"]),
    ],
)
def test_what_can_wait_of_shoppers_and_items_is_rung_for_apart(backlogs: list[Backlog], rung: list[str]) -> None:
    assert reconcile.to_ring(backlogs) == rung


def test_every_kind_that_is_rung_for_has_a_task_of_the_process_that_works_on_it() -> None:
    queues = {kind: ring.queue for kind, ring in capabilities.RINGS.items()}
    assert {due.SHOPPER, due.ITEM, due.LATER, due.REASON} <= set(queues)
    assert {queues[due.SHOPPER], queues[due.ITEM]} == {tasks.REFRESH_QUEUE}
    assert {queues[due.LATER], queues[due.REASON]} == {tasks.BACKGROUND_QUEUE}
    assert set(queues.values()) <= set(capabilities.QUEUES)
    assert set(due.SWITCHED) <= set(queues)


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
