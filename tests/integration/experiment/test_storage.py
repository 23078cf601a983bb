"""Experiments in the database: the same places as in Python, and what counts as an outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from storage.experiment import experiments
from storage.experiment.experiments import Arm, Experiment, Outcome
from storage.registry import health
from storage.registry.health import Health
from workers.experiment import assignment

HALVES = Experiment("halves", "salt-1", (Arm("control", "live", 0.5), Arm("crowd", "popular", 0.5)))
THIRDS = Experiment("thirds", "t", (Arm("a", "live", 0.4), Arm("b", "popular", 0.35), Arm("c", "version:x", 0.25)))


def started(database: Engine, experiment: Experiment) -> tuple[Experiment, datetime]:
    """Start it, and return it as it stands with its start."""
    with database.begin() as connection:
        experiments.start(connection, experiment)
        running = experiments.running(connection)
    assert running is not None
    assert running.started_at is not None
    return running, running.started_at


@pytest.mark.parametrize("experiment", [HALVES, THIRDS], ids=["halves", "thirds"])
def test_the_database_places_shoppers_as_python_does(database: Engine, experiment: Experiment) -> None:
    shoppers = [f"user-{n}" for n in range(3000)] + ["", " ", "session:1", "zoë", "张伟", "a:b", "'; --", "👟" * 40]
    with database.connect() as connection:
        found = experiments.arms_of(connection, experiment, shoppers)
    assert found == [assignment.arm_of(experiment, shopper).name for shopper in shoppers]
    assert {arm.name for arm in experiment.arms} == set(found)


def test_what_was_started_is_read_again(database: Engine) -> None:
    running, _ = started(database, THIRDS)
    assert (running.arms, running.salt, running.surface, running.canary) == (THIRDS.arms, "t", "home", False)
    with database.begin() as connection:
        stopped = experiments.stop(connection, "thirds", "enough")
        assert stopped is not None
        assert (stopped.stopped_because, stopped.stopped_at is None) == ("enough", False)
        assert experiments.stop(connection, "thirds", "again") is None
        assert experiments.running(connection) is None
        assert experiments.every(connection) == [stopped]
        assert experiments.named(connection, "thirds") == stopped
        assert experiments.named(connection, "fourths") is None


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([], Outcome()),
        ([("click", -1, "home"), ("impression", -1, "home")], Outcome()),  # before the start
        ([("impression", 1, "home")], Outcome(1, impressions=1)),
        ([("impression", 1, None)], Outcome(1, impressions=1)),  # a shop that names no surface
        ([("impression", 1, "search"), ("purchase", 2, None)], Outcome()),  # never saw home
        ([("click", 1, "home")], Outcome(1, clicked=1, clicks=1)),  # it was seen, whatever was lost
        ([("click", 1, None)], Outcome(1, clicked=1, clicks=1)),
        ([("impression", 1, "home"), ("click", 2, "similar")], Outcome(1, impressions=1)),
        ([("click", 1, "similar"), ("impression", 2, "home")], Outcome(1, impressions=1)),
        ([("purchase", 1, None), ("click", 2, "home"), ("purchase", 3, None)], Outcome(1, 1, 0, 1, 0, 1)),
        ([("purchase", 1, "home"), ("impression", 2, "home")], Outcome(1, impressions=1)),  # bought before
        ([("impression", 1, "home"), ("purchase", 1, None)], Outcome(1, purchased=1, impressions=1)),
        ([("impression", 1, "home"), ("add_to_cart", 2, "search")], Outcome(1, carted=1, impressions=1)),
        (
            [("impression", 1, "home"), ("click", 2, "home"), ("click", 3, "home"), ("impression", 4, "home")],
            Outcome(1, clicked=1, impressions=2, clicks=2),
        ),
        ([("view", 1, "home"), ("dismiss", 2, "home")], Outcome()),
    ],
)
def test_an_outcome_counts_from_exposure_on(
    shop: Any, events: list[tuple[str, int, str | None]], outcome: Outcome
) -> None:
    running, start = started(shop.database, HALVES)
    # Shuffled: events come in any order.
    shop.happens(*(("ann", kind, start + timedelta(seconds=at), where) for kind, at, where in reversed(events)))
    with shop.database.connect() as connection:
        found = experiments.outcomes(connection, running)
    arm = assignment.arm_of(running, "ann").name
    assert found.pop(arm) == outcome
    assert list(found.values()) == [Outcome()]


def test_outcomes_are_summed_by_arm_and_end_with_the_stop(shop: Any, members: Callable[..., list[str]]) -> None:
    running, start = started(shop.database, HALVES)
    control, crowd = members(running, "control", 5), members(running, "crowd", 7)
    shop.happens(*((one, "impression", start + timedelta(seconds=1)) for one in control + crowd))
    shop.happens(*((one, "click", start + timedelta(seconds=2)) for one in control[:2] + crowd[:3]))
    shop.happens(*((one, "purchase", start + timedelta(seconds=3), None) for one in crowd[:1]))
    with shop.database.begin() as connection:
        connection.execute(text("UPDATE experiments SET stopped_at = started_at + interval '10 seconds'"))
        stopped = experiments.named(connection, "halves")
    assert stopped is not None
    shop.happens(*((one, "purchase", start + timedelta(seconds=11), None) for one in control))
    with shop.database.connect() as connection:
        assert experiments.outcomes(connection, stopped) == {
            "control": Outcome(5, clicked=2, impressions=5, clicks=2),
            "crowd": Outcome(7, clicked=3, purchased=1, impressions=7, clicks=3),
        }


def test_only_the_months_of_the_experiment_are_read(shop: Any) -> None:
    running, start = started(shop.database, HALVES)
    shop.happens(("ann", "impression", start - timedelta(days=90)), ("ann", "impression", start + timedelta(hours=1)))
    explained = experiments._OUTCOMES.text
    parameters = experiments._places(running) | {"surface": "home", "since": start, "until": "infinity"}
    with shop.database.connect() as connection:
        plan = "\n".join(connection.execute(text(f"EXPLAIN (ANALYZE) {explained}"), parameters).scalars())
    assert f"events_{start:%Y_%m}" in plan
    assert f"events_{start - timedelta(days=90):%Y_%m}" not in plan, plan


def test_health_is_summed_over_the_last_minutes_and_forgotten(database: Engine) -> None:
    with database.begin() as connection:
        for seconds, failed in ((0.25, False), (0.5, True), (0.25, False)):
            health.record(connection, "one", seconds=seconds, failed=failed)
        assert health.lately(connection, ["one", "two"], minutes=5) == {"one": Health(3, 1, 1.0), "two": Health()}
        connection.execute(text("UPDATE version_health SET minute = minute - interval '6 minutes'"))
        health.record(connection, "one", seconds=1.0)
        assert health.lately(connection, ["one"], minutes=5) == {"one": Health(1, 0, 1.0)}
        start = connection.execute(text("SELECT now()")).scalar_one()
        assert health.lately(connection, ["one"], minutes=9) == {"one": Health(4, 1, 2.0)}
        assert health.lately(connection, ["one"], minutes=9, since=start) == {"one": Health(1, 0, 1.0)}
        connection.execute(text("UPDATE version_health SET minute = minute - interval '8 days' WHERE batches = 3"))
        health.forget(connection)
        assert connection.execute(text("SELECT batches FROM version_health")).scalars().all() == [1]
