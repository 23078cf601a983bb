"""Confidence: errors are rare however often one looks, differences are found, and the figures agree with each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.learn.experiments import simulation
from workers.experiment import confidence
from workers.experiment.confidence import Tally


def test_looking_all_the_time_at_equal_arms_errs_rarely_and_a_naive_test_often() -> None:
    found = simulation.run(simulation.Scenario("A/A", 0.1, 0.1, runs=200), seed=5)
    assert found.wrong <= 0.05
    assert found.naive_wrong > 0.2, "the simulation would show what looking all the time does to a test of one size"


@pytest.mark.parametrize(("base", "share"), [(0.01, 0.5), (0.1, 0.05), (0.5, 0.5)])
def test_rare_successes_and_small_arms_err_rarely_too(base: float, share: float) -> None:
    assert simulation.run(simulation.Scenario("A/A", base, base, share=share, runs=200), seed=6).wrong <= 0.05


def test_a_difference_is_found_and_has_the_right_sign() -> None:
    found = simulation.run(simulation.Scenario("A/B", 0.1, 0.15, runs=100), seed=7)
    assert found.found >= 0.95
    assert found.wrong == 0


@pytest.mark.parametrize(
    ("arm", "control", "verdict"),
    [
        (Tally(0, 0), Tally(0, 0), "no difference yet"),
        (Tally(50, 50), Tally(0, 50), "no difference yet"),  # fewer than a hundred shoppers
        (Tally(9, 1000), Tally(0, 1000), "no difference yet"),  # fewer than ten expected in each arm
        (Tally(1000, 1000), Tally(991, 1000), "no difference yet"),  # and as few without a success
        (Tally(100, 1000), Tally(105, 1000), "no difference yet"),
        (Tally(150, 1000), Tally(100, 1000), "better"),
        (Tally(100, 1000), Tally(150, 1000), "worse"),
        (Tally(0, 300), Tally(600, 6000), "worse"),
        (Tally(0, 1000), Tally(0, 1000), "no difference yet"),
    ],
)
def test_a_verdict_needs_enough_and_a_difference(arm: Tally, control: Tally, verdict: str) -> None:
    assert confidence.verdict(arm, control) == verdict
    found = confidence.compare(arm, control)
    assert found.verdict == verdict
    assert (found.p_value < confidence.ALPHA) == (verdict != "no difference yet")
    assert (found.difference_low <= 0 <= found.difference_high) == (verdict == "no difference yet")


def test_the_p_value_is_the_alpha_at_which_the_interval_touches_zero() -> None:
    arm, control = Tally(140, 1000), Tally(100, 1000)
    found = confidence.compare(arm, control)
    at_edge = confidence.compare(arm, control, found.p_value)
    assert at_edge.difference_low == pytest.approx(0.0, abs=1e-12)


def test_the_boundary_is_that_of_a_normal_mixture() -> None:
    """The likelihood ratio of a normal estimate, mixed over effects of variance tau², reaches 1 / alpha there."""
    arm, control = Tally(150, 1000), Tally(100, 1000)
    found = confidence.compare(arm, control)
    radius = found.difference - found.difference_low
    variance = sum(one.smoothed * (1 - one.smoothed) / one.shoppers for one in (arm, control))
    tau = math.sqrt(variance * 500 * confidence._MIXTURE)
    effects, step = np.linspace(-12 * tau, 12 * tau, 200_001, retstep=True)
    prior = np.exp(-(effects**2) / (2 * tau**2)) / math.sqrt(2 * math.pi) / tau
    ratio = np.exp((radius * effects - effects**2 / 2) / variance)
    assert float((prior * ratio).sum() * step) == pytest.approx(1 / confidence.ALPHA, rel=1e-6)


def test_lift_is_relative_and_unknown_without_a_success_of_the_control() -> None:
    found = confidence.compare(Tally(300, 2000), Tally(200, 2000))
    assert found.lift == pytest.approx(0.5)
    assert found.lift_low is not None
    assert found.lift_high is not None
    assert 0 < found.lift_low < 0.5 < found.lift_high
    assert confidence.compare(Tally(60, 1000), Tally(0, 1000)).lift is None


def test_a_rate_has_an_interval_that_narrows_and_stays_within_its_bounds() -> None:
    assert confidence.rate_interval(Tally(0, 0)) == (0.0, 1.0)
    wide, narrow = confidence.rate_interval(Tally(20, 200)), confidence.rate_interval(Tally(2000, 20_000))
    assert 0 <= wide[0] < narrow[0] < 0.1 < narrow[1] < wide[1] <= 1
    assert confidence.rate_interval(Tally(0, 200))[0] == 0.0
    assert confidence.rate_interval(Tally(200, 200))[1] == 1.0
    low, high = confidence.rate_interval(Tally(30, 400))
    turned = confidence.rate_interval(Tally(370, 400))
    assert (1 - high, 1 - low) == pytest.approx(turned)


def test_the_interval_of_a_rate_holds_what_a_mixture_does_not_rule_out() -> None:
    """With 0 of 1,000, the mixture has the chance B(1/2, 1000.5) / pi, and rates are ruled out at 20 times less."""
    mixture = math.exp(math.lgamma(0.5) + math.lgamma(1000.5) - math.lgamma(1001)) / math.pi
    low, high = confidence.rate_interval(Tally(0, 1000))
    assert low == 0
    assert (1 - high) ** 1000 == pytest.approx(mixture * confidence.ALPHA, rel=1e-6)


@pytest.mark.parametrize("rate", [0.002, 0.1, 0.97])
def test_the_interval_of_a_rate_rarely_ever_misses_it(rate: float) -> None:
    draw = np.random.default_rng(8)
    missed = 0
    for run in draw.binomial(20, rate, size=(200, 100)).cumsum(1).tolist():
        intervals = [confidence.rate_interval(Tally(x, 20 * look)) for look, x in enumerate(run, 1)]
        missed += any(not low <= rate <= high for low, high in intervals)
    assert missed / 200 <= confidence.ALPHA
