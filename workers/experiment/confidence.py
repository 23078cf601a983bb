"""Confidence that holds whenever somebody looks: intervals of rates and of their differences, and verdicts.

Shoppers come one after another and nobody knows when somebody will look, so a test for a fixed sample size finds
differences that do not exist. These are confidence sequences: over all looks together, the chance that an interval ever
misses the truth is at most `alpha`. Those of differences hold as the counts grow: they are the asymptotic confidence
sequences of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (Time-uniform central limit theory and asymptotic
confidence sequences, 2021) with their normal mixture, which for two rates is the mixture SPRT of Johari, Pekelis and
Walsh (Always valid inference, 2015). `benchmarks/learn/experiments` measures how often they err.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

ALPHA = 0.05
"""The accepted chance of ever being wrong, for one experiment and metric."""

# The mixture is over normal effects. Its width is chosen, by the paper's approximation, so that the sequence is
# tightest at this effective size: n·m / (n + m) for two arms, so 4,000 shoppers in halves. Other sizes lose little.
_TIGHTEST_AT = 1_000
_CHANCE = -2 * math.log(0.05)
_MIXTURE = (_CHANCE + math.log(_CHANCE + 1)) / _TIGHTEST_AT

LEAST_SHOPPERS = 100
LEAST_EXPECTED = 10
"""Least shoppers of each arm, and least expected successes and failures, before there is a verdict.

The expectation is by the rate of both arms together: with fewer, the normal approximation is poor.
"""

Verdict = Literal["better", "worse", "no difference yet"]


class Tally(NamedTuple):
    """A number of shoppers, and how many of them succeeded."""

    successes: int
    shoppers: int

    @property
    def rate(self) -> float:
        """The share of successes, 0 without shoppers."""
        return self.successes / self.shoppers if self.shoppers else 0.0

    @property
    def smoothed(self) -> float:
        """The rate with one more success and one more failure, so that no variance is 0."""
        return (self.successes + 1) / (self.shoppers + 2)


class Comparison(NamedTuple):
    """How the rate of an arm differs from that of the control.

    `difference` is in points of rate, `lift` relative to the control's rate (None if that is 0); each has its interval.
    The verdict is that of the difference: there is one when its interval excludes 0. The interval of the lift is that
    of the logarithm of the ratio, and may disagree in borderline cases. `p_value` is valid at any one look.
    """

    difference: float
    difference_low: float
    difference_high: float
    lift: float | None
    lift_low: float | None
    lift_high: float | None
    p_value: float
    verdict: Verdict


def rate_interval(tally: Tally, alpha: float = ALPHA) -> tuple[float, float]:
    """Return the interval of a rate, which is exact for any number of shoppers.

    It holds the rates that are not 1 / `alpha` times less likely than a mixture of all of them: Robbins, Statistical
    methods related to the law of the iterated logarithm, 1970, with the mixture Beta(1/2, 1/2).
    """
    return _edge(tally, alpha, 0.0), _edge(tally, alpha, 1.0)


def compare(arm: Tally, control: Tally, alpha: float = ALPHA) -> Comparison:
    """Return how the rate of `arm` differs from that of `control`."""
    lift = arm.rate / control.rate - 1 if control.successes else None
    if not is_enough(arm, control):
        return Comparison(arm.rate - control.rate, -1.0, 1.0, lift, None, None, 1.0, "no difference yet")
    difference, variance = arm.rate - control.rate, _variance(arm) + _variance(control)
    boundary = _squared_boundary(_effective(arm, control), alpha)
    radius = math.sqrt(variance * boundary)
    low, high = _lift_interval(arm, control, boundary) if lift is not None else (None, None)
    return Comparison(
        difference,
        difference - radius,
        difference + radius,
        lift,
        low,
        high,
        _p_value(difference**2 / variance, _effective(arm, control)),
        verdict(arm, control, alpha),
    )


def verdict(arm: Tally, control: Tally, alpha: float = ALPHA) -> Verdict:
    """Return whether `arm` is better or worse than `control`, or whether there is no difference yet."""
    if not is_enough(arm, control):
        return "no difference yet"
    difference, variance = arm.rate - control.rate, _variance(arm) + _variance(control)
    if difference**2 <= variance * _squared_boundary(_effective(arm, control), alpha):
        return "no difference yet"
    return "better" if difference > 0 else "worse"


def is_enough(arm: Tally, control: Tally) -> bool:
    """Return whether there are enough shoppers for a verdict."""
    fewest = min(arm.shoppers, control.shoppers)
    both = arm.shoppers + control.shoppers
    rarer = min(arm.successes + control.successes, both - arm.successes - control.successes)
    return fewest >= LEAST_SHOPPERS and fewest * rarer >= LEAST_EXPECTED * both


def _edge(tally: Tally, alpha: float, end: float) -> float:
    """Return the end of the interval of a rate between the rate and `end`, by bisection."""
    inside, outside = tally.rate, end
    if _mixture_against(tally, end) < -math.log(alpha):
        return end
    for _ in range(50):
        middle = (inside + outside) / 2
        if _mixture_against(tally, middle) < -math.log(alpha):
            inside = middle
        else:
            outside = middle
    return outside


def _mixture_against(tally: Tally, rate: float) -> float:
    """The logarithm of how much likelier the tally is under the mixture than under this rate."""
    successes, failures = tally.successes, tally.shoppers - tally.successes
    if (rate == 0 and successes) or (rate == 1 and failures):
        return math.inf
    mixture = math.lgamma(successes + 0.5) + math.lgamma(failures + 0.5) - math.lgamma(tally.shoppers + 1)
    mixture -= math.log(math.pi)
    likelihood = (successes * math.log(rate) if successes else 0) + (failures * math.log1p(-rate) if failures else 0)
    return mixture - likelihood


def _variance(tally: Tally) -> float:
    """The variance of a rate."""
    return tally.smoothed * (1 - tally.smoothed) / tally.shoppers


def _effective(arm: Tally, control: Tally) -> float:
    return arm.shoppers * control.shoppers / (arm.shoppers + control.shoppers)


def _squared_boundary(size: float, alpha: float) -> float:
    """How many squared standard errors an estimate of this size may ever be away from the truth."""
    mixed = size * _MIXTURE
    return (1 + 1 / mixed) * (math.log1p(mixed) - 2 * math.log(alpha))


def _p_value(squared_errors: float, size: float) -> float:
    """The `alpha` at which the boundary is just reached: 1 / the mixture's likelihood ratio."""
    mixed = size * _MIXTURE
    return min(1.0, math.exp((math.log1p(mixed) - squared_errors * mixed / (1 + mixed)) / 2))


def _lift_interval(arm: Tally, control: Tally, boundary: float) -> tuple[float, float]:
    """By the delta method: the variance of the logarithm of a rate is (1 - rate) / (shoppers · rate)."""
    variance = sum((1 - one.smoothed) / (one.shoppers * one.smoothed) for one in (arm, control))
    middle, radius = math.log(arm.smoothed / control.smoothed), math.sqrt(variance * boundary)
    return math.exp(middle - radius) - 1, math.exp(middle + radius) - 1
