"""`python -m benchmarks.learn.experiments`: false alarms and power of an experiment that is checked all the time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks import machine
from benchmarks.learn.experiments import simulation
from benchmarks.learn.experiments.simulation import Found, Scenario
from workers.experiment import confidence

_EQUAL = (
    Scenario("A/A, 10 %, halves", 0.1, 0.1),
    Scenario("A/A, 1 %, halves", 0.01, 0.01),
    Scenario("A/A, 10 %, a canary of 5 %", 0.1, 0.1, share=0.05),
)
_SIZES = (10_000, 20_000, 50_000, 100_000)
_UNEQUAL = (
    Scenario("A/B, 10 % and a lift of 10 %, halves", 0.1, 0.11, most=_SIZES[-1], batch=500),
    Scenario("A/B, 10 % and a lift of 20 %, halves", 0.1, 0.12, most=_SIZES[-1], batch=500),
    Scenario("canary of 5 %, 10 % and half of that", 0.1, 0.05, share=0.05, most=_SIZES[-1], batch=500),
)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="File for the result; it is printed in any case.")
@click.option("--seed", default=0, show_default=True)
def main(out: Path | None, seed: int) -> None:
    """Print one JSON object: a thousand simulated experiments per row, each checked after every batch of shoppers."""
    result = json.dumps(
        {
            "benchmark": "experiments",
            **machine.describe("cpu"),
            "alpha": confidence.ALPHA,
            "seed": seed,
            "equal_arms": [_equal(one, simulation.run(one, seed=seed)) for one in _EQUAL],
            "unequal_arms": [_unequal(one, simulation.run(one, seed=seed)) for one in _UNEQUAL],
        },
        indent=1,
    )
    if out is not None:
        out.write_text(result + "\n", "utf-8")
    click.echo(result)


def _described(scenario: Scenario) -> dict[str, Any]:
    return {
        "what": scenario.name,
        "runs": scenario.runs,
        "look_every": scenario.batch,
        "most_shoppers": scenario.most,
    }


def _equal(scenario: Scenario, found: Found) -> dict[str, Any]:
    return _described(scenario) | {"false_alarms": found.wrong, "false_alarms_of_a_z_test": found.naive_wrong}


def _unequal(scenario: Scenario, found: Found) -> dict[str, Any]:
    median = float(np.median(found.stopped_R))
    return _described(scenario) | {
        "found_by": {str(size): found.by(size) for size in _SIZES},
        "found_by_a_z_test_in_one_look": {str(size): found.once_L[size // scenario.batch - 1] for size in _SIZES},
        "median_shoppers": median if median <= scenario.most else None,
        "wrong_sign": found.wrong,
        "wrong_sign_of_a_z_test": found.naive_wrong,
    }


if __name__ == "__main__":
    main()
