"""Rates, intervals and percentiles, against numbers that can be worked out by hand or by simulation."""

from __future__ import annotations

import math
import random

import pytest

from demo import intervals
from demo.intervals import Rate
from demo.tally import HTTP, MESSAGE, Tally


def test_a_rate_counts_impressions() -> None:
    rate = intervals.rate([(10, 1), (30, 3), (0, 0)])
    assert (rate.shown, rate.clicked, rate.value) == (40, 4, 0.1)


def test_customers_who_all_click_alike_leave_no_doubt() -> None:
    assert intervals.rate([(10, 1)] * 5).margin == 0


def test_too_little_says_nothing() -> None:
    assert math.isnan(intervals.rate([]).value)
    assert math.isnan(intervals.rate([(10, 1)]).margin)
    difference = intervals.difference(intervals.rate([]), intervals.rate([(10, 1)]))
    assert not difference.is_significant


def test_the_interval_covers_the_truth_as_often_as_it_says_though_customers_differ() -> None:
    rng = random.Random(1)
    truth, covered = 0.05, 0
    for _ in range(400):
        counts = []
        for _ in range(150):
            keenness = rng.choice((0.01, 0.09))  # a binomial interval over impressions would cover about 82%
            shown = rng.choice((20, 60, 100))
            counts.append((shown, sum(rng.random() < keenness for _ in range(shown))))
        rate = intervals.rate(counts)
        covered += abs(rate.value - truth) <= rate.margin
    assert 0.91 < covered / 400 < 0.98


@pytest.mark.parametrize(
    ("first", "second", "significant"), [(0.10, 0.05, True), (0.05, 0.10, True), (0.07, 0.065, False)]
)
def test_a_difference_is_significant_when_its_interval_leaves_out_zero(
    first: float, second: float, significant: bool
) -> None:
    difference = intervals.difference(Rate(first, 0.01, 1, 1), Rate(second, 0.01, 1, 1))
    assert difference.is_significant is significant
    assert difference.low < first - second < difference.high


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(value) for value in range(1, 101)]
    random.Random(1).shuffle(values)
    tally = Tally()
    assert math.isnan(tally.latency(0.5))
    tally.latencies[HTTP].append(7.0)
    assert tally.latency(0.99) == 7
    tally.latencies[MESSAGE].extend(values)
    assert [tally.latency(share, MESSAGE) for share in (0.5, 0.99, 1.0)] == [50, 99, 100]
    assert tally.latency(0.5) == 50
