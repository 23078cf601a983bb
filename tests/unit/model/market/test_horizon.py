"""Demand of several weeks: intervals that hold for weeks that err together."""

from __future__ import annotations

import numpy as np

from model.market import horizon
from model.market.horizon import Weeks


def weeks(draws_IxHxD: np.ndarray) -> Weeks:
    """Return what a perfect forecaster says of weeks of which these are draws."""
    return Weeks(*(np.quantile(draws_IxHxD, chance, axis=2) for chance in (0.5, 0.1, 0.9, 0.025, 0.975)))


def test_intervals_of_four_weeks_hold_what_they_say_where_weeks_err_partly_together() -> None:
    rng = np.random.default_rng(3)
    draws = rng.poisson(6 * rng.gamma(2, 0.5, (300, 1, 2_000)) * rng.gamma(1, 1, (300, 4, 2_000)))
    demand = horizon.demand(weeks(draws[:, :, :1_900]))
    coming = draws[:, :, 1_900:].cumsum(axis=1)[:, -1]
    held = (demand.ppf(0.1)[:, -1:] <= coming) & (coming <= demand.ppf(0.9)[:, -1:])
    assert 0.72 < held.mean() < 0.9
    assert abs(demand.mean()[:, -1].mean() / draws.sum(axis=1).mean() - 1) < 0.2


def test_mean_and_spread_add_up_over_the_weeks() -> None:
    draws = np.random.default_rng(4).normal(200, 40, (1, 4, 40_000))
    demand = horizon.demand(weeks(draws))
    assert np.allclose(demand.mean()[0], 200 * np.arange(1, 5), rtol=0.01)
    assert np.isclose(demand.std()[0, 0], 40, rtol=0.15)
    assert 2 < demand.std()[0, -1] / demand.std()[0, 0] < 4
