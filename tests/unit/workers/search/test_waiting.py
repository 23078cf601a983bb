"""When search is trained anew."""

from __future__ import annotations

import pytest

from workers.registry import schedule
from workers.registry.schedule import Waiting
from workers.search import waiting
from workers.settings import Settings


def decide(new: Waiting, *, changes: int, hours: float) -> str | None:
    settings = Settings(search_train_changes=changes, search_train_hours=hours)
    return schedule.decide(new, waiting.rule(settings))


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (Waiting(5_000, 0.1), "5,000 new items and searches with a click"),
        (Waiting(4_999, 23.9), None),
        (Waiting(20, 24.0), "20 new items and searches with a click in 24.0 hours"),
        (Waiting(19, 1_000.0), None),
        (Waiting(9_000, 100.0, attempts=5), None),
    ],
)
def test_enough_changes_or_enough_time(new: Waiting, expected: str | None) -> None:
    assert decide(new, changes=5_000, hours=24.0) == expected


def test_either_half_of_the_rule_can_be_off() -> None:
    new = Waiting(9_000, 50.0)
    told = "9,000 new items and searches with a click"
    assert decide(new, changes=0, hours=24.0) == f"{told} in 50.0 hours"
    assert decide(new, changes=5_000, hours=0) == told
    assert decide(new, changes=0, hours=0) is None
