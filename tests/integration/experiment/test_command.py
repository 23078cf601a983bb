"""`reshelf experiment`: from start to report, and errors that can be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner, Result

from storage.experiment import experiments
from storage.experiment.experiments import Experiment
from workers.cli import main

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, broker_url: str) -> Run:
    """Return a function that runs `reshelf experiment …`."""
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_BROKER_URL": broker_url}

    def reshelf(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["experiment", *arguments], env=environ, catch_exceptions=False)

    return reshelf


def test_an_experiment_from_its_start_to_its_report(
    shop: Any, run: Run, members: Callable[[Experiment, str, int], list[str]]
) -> None:
    assert run("list").output == "no experiments yet\n"
    shop.shelves([f"s{number}" for number in range(50)])
    arms = ["--arm", "control=live:0.5", "--arm", f"new=version:{shop.next}:0.5"]
    begun = run("start", "spring", *arms)
    assert begun.exit_code == 0, begun.output
    assert begun.output.startswith("spring runs; ")
    assert int(begun.output.split()[2]) > 10

    with shop.database.connect() as connection:
        running = experiments.running(connection)
    assert running is not None
    now = datetime.now(UTC)
    for arm, clicking in (("control", 30), ("new", 90)):
        shoppers = members(running, arm, 300)
        shop.happens(*((shopper, "impression", now) for shopper in shoppers))
        shop.happens(*((shopper, "click", now) for shopper in shoppers[:clicking]))
    shown = run("report", "spring")
    assert "experiment, runs" in shown.output
    assert "better" in shown.output
    found = json.loads(run("report", "spring", "--json").output)
    assert found["differences"][0]["lift"] == pytest.approx(2.0)

    assert run("stop", "spring").output.startswith("spring is stopped; ")
    assert "stopped by hand" in run("report", "spring").output.replace("\n", " ")
    [listed] = json.loads(run("list", "--json").output)
    assert (listed["name"], listed["running"]) == ("spring", False)
    assert "spring" in run("list").output


def test_a_canary_starts_and_grows(shop: Any, run: Run) -> None:
    assert run("canary", shop.next).output.startswith(f"canary-{shop.next} runs; ")
    assert run("canary", shop.next, "--share", "0.2").output.startswith(f"canary-{shop.next}-2 runs; ")
    with shop.database.connect() as connection:
        running = experiments.running(connection)
    assert running is not None
    assert [arm.share for arm in running.arms] == [0.8, 0.2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("start", "x", "--arm", "a=live:0.5", "--arm", "b=popular:0.4"), "Error: arm: the shares sum to 0.9"),
        (("start", "x", "--arm", "a=live"), "Error: arm: 'a=live' is no arm; write NAME=TREATMENT:SHARE"),
        (("start", "x"), "Error: arm: 0 arms were given; give 2 to 8"),
        (("canary", "nonesuch"), "Error: arm: there is no model version 'nonesuch'; registered are recommend-"),
        (("canary", "x", "--share", "0.9"), "Error: share: 0.9 is no share of a canary; give more than 0"),
        (("stop", "x"), "Error: name: there is no experiment 'x'; known are none"),
        (("report", "x"), "Error: name: there is no experiment 'x'; known are none"),
    ],
)
def test_an_error_is_one_line_with_the_field_and_the_fix(
    shop: Any, run: Run, arguments: tuple[str, ...], message: str
) -> None:
    done = run(*arguments)
    assert done.exit_code == 1
    assert done.output.startswith(message)
    assert done.output.count("\n") == 1
