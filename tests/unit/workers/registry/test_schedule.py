"""When the live version learns on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workers.recommend.training import waiting as finetuning
from workers.registry import schedule
from workers.registry.schedule import Waiting
from workers.settings import Settings

RULE = finetuning.rule(Settings(finetune_events=10_000, finetune_hours=24.0))


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        (Waiting(10_000, 0.1), "10,000 new events"),
        (Waiting(9_999, 0.1), None),
        (Waiting(9_999, 24.0), "9,999 new events in 24.0 hours"),
        (Waiting(99, 1_000.0), None),
        (Waiting(100, 24.5), "100 new events in 24.5 hours"),
        (Waiting(1_000_000, 100.0, attempts=5), None),
        (Waiting(10_000, 0.0, attempts=4), "10,000 new events"),
    ],
)
def test_enough_events_or_enough_time(waiting: Waiting, expected: str | None) -> None:
    assert schedule.decide(waiting, RULE) == expected


def test_either_half_of_the_rule_can_be_off() -> None:
    waiting = Waiting(50_000, 50.0)
    assert schedule.decide(waiting, replace(RULE, enough=0, hours=24.0)) == "50,000 new events in 50.0 hours"
    assert schedule.decide(waiting, replace(RULE, enough=10_000, hours=0)) == "50,000 new events"
    assert schedule.decide(waiting, replace(RULE, enough=0, hours=0)) is None
