"""Simulated experiments: shoppers come in batches, and after every batch the verdict is checked and acted on.

The draws are arrays of runs and looks; every look calls `workers.experiment.confidence`, as in production.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workers.experiment import confidence
from workers.experiment.confidence import Tally

_NAIVE_SQUARED = 1.959964**2


@dataclass(frozen=True)
class Scenario:
    """The true rates, the share of the arm, and how many shoppers come between two looks, and at most."""

    name: str
    control: float
    arm: float
    share: float = 0.5
    runs: int = 1000
    most: int = 20_000
    batch: int = 100


@dataclass(frozen=True)
class Found:
    """Shares of the runs: with a verdict, with a false one, and the same of a z-test for a fixed size.

    A verdict is false if the rates are equal, or if it has the wrong sign. The z-test is checked as often. `stopped_R`
    are the shoppers of both arms at the first verdict, above `most` if there was none; `once_L` is the share that the
    z-test finds in a single look.
    """

    found: float
    wrong: float
    naive_found: float
    naive_wrong: float
    stopped_R: np.ndarray
    once_L: np.ndarray

    def by(self, shoppers: int) -> float:
        """Return the share of runs with a verdict after this many shoppers."""
        return float((self.stopped_R <= shoppers).mean())


def run(scenario: Scenario, *, seed: int) -> Found:
    """Return how the runs of a scenario end."""
    draw = np.random.default_rng(seed)
    looks = scenario.most // scenario.batch
    arms_RxL = draw.binomial(scenario.batch, scenario.share, size=(scenario.runs, looks))
    successes_RxL = draw.binomial(arms_RxL, scenario.arm).cumsum(1)
    controls_RxL = scenario.batch - arms_RxL
    control_successes_RxL = draw.binomial(controls_RxL, scenario.control).cumsum(1)
    arms_RxL, controls_RxL = arms_RxL.cumsum(1), controls_RxL.cumsum(1)
    tallies = (successes_RxL, arms_RxL, control_successes_RxL, controls_RxL)
    ends = [_end(*columns) for columns in zip(*(each.tolist() for each in tallies), strict=True)]
    found, wrong = _shares(np.array([sign for _, sign in ends]), scenario)
    signs_RxL = _naive_signs(*tallies)
    naive_found, naive_wrong = _shares(_first(signs_RxL), scenario)
    stopped_R = np.array([(look + 1) * scenario.batch for look, _ in ends])
    return Found(found, wrong, naive_found, naive_wrong, stopped_R, (signs_RxL != 0).mean(0))


def _end(
    successes: list[int], shoppers: list[int], control_successes: list[int], controls: list[int]
) -> tuple[int, int]:
    """Return the look of the first verdict and its sign; the number of looks and 0 if there is none."""
    for look, (x, n, control_x, m) in enumerate(zip(successes, shoppers, control_successes, controls, strict=True)):
        verdict = confidence.verdict(Tally(x, n), Tally(control_x, m))
        if verdict != "no difference yet":
            return look, 1 if verdict == "better" else -1
    return len(shoppers), 0


def _naive_signs(x_RxL: np.ndarray, n_RxL: np.ndarray, control_x_RxL: np.ndarray, m_RxL: np.ndarray) -> np.ndarray:
    """At each look, the result of a z-test at 5 % with pooled variance: a sign, or 0."""
    pooled_RxL = (x_RxL + control_x_RxL) / (n_RxL + m_RxL)
    difference_RxL = x_RxL / np.maximum(n_RxL, 1) - control_x_RxL / np.maximum(m_RxL, 1)
    spread_RxL = 1 / np.maximum(n_RxL, 1) + 1 / np.maximum(m_RxL, 1)
    said_RxL = difference_RxL**2 > _NAIVE_SQUARED * pooled_RxL * (1 - pooled_RxL) * spread_RxL
    said_RxL &= np.minimum(n_RxL, m_RxL) > 0
    return np.where(said_RxL, np.sign(difference_RxL), 0)


def _first(signs_RxL: np.ndarray) -> np.ndarray:
    """The first sign of each run, 0 if there is none."""
    return signs_RxL[np.arange(len(signs_RxL)), (signs_RxL != 0).argmax(1)]


def _shares(signs_R: np.ndarray, scenario: Scenario) -> tuple[float, float]:
    """The share of verdicts, and that of false ones."""
    truth = np.sign(scenario.arm - scenario.control)
    return float((signs_R != 0).mean()), float(((signs_R != 0) & (signs_R != truth)).mean())
