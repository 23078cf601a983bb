"""Demand of several weeks: intervals that hold for weeks that err together."""

from __future__ import annotations

import numpy as np

from model.market import horizon, smoothing


def test_intervals_of_four_weeks_hold_what_they_say_or_a_little_more() -> None:
    rng = np.random.default_rng(3)
    steps = rng.normal(0, 0.12, (600, 60)).cumsum(axis=1)
    units = rng.poisson(rng.gamma(2, 8, (600, 1)) * np.exp(steps)).astype(float)
    found = smoothing.forecast(units[:, :52], 4)
    demand = horizon.demand(found.mean_SxH, found.low95_SxH, found.high95_SxH)
    coming = units[:, 52:56].cumsum(axis=1)
    held = (demand.ppf(0.1) <= coming) & (coming <= demand.ppf(0.9))
    assert 0.78 < held[:, -1].mean() < 0.95


def test_mean_and_spread_add_up_over_the_weeks() -> None:
    mean = np.full((1, 4), 50.0)
    demand = horizon.demand(mean, mean - 39.2, mean + 39.2)
    assert np.allclose(demand.mean(), 50 * np.arange(1, 5))
    assert np.allclose(demand.std()[0, 0], 20)
    assert 70 < demand.std()[0, -1] <= 80
