"""A short run of the kill runner; `make faults` does a long one."""

from __future__ import annotations

from pathlib import Path

from tests.faults import killing
from tests.faults.killing import Killing, Plan


def test_no_message_is_lost_or_doubled_when_workers_are_killed(
    tmp_path: Path, database_url: str, broker_url: str
) -> None:
    plan = Plan(seed=1, kills=3, messages=900)
    with killing.prepared(tmp_path, database_url, broker_url, plan.workers) as workers:
        outcome = Killing(plan, workers).run()
    assert (outcome.sent, outcome.rows, outcome.lost, outcome.doubled, outcome.letters) == (900, 900, 0, 0, 0)
    assert outcome.kills == 3
