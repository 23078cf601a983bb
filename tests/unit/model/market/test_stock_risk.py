"""Stock-out risk: a chance that grows with the weeks, and an order that lasts."""

from __future__ import annotations

import numpy as np
from scipy import stats

from model.market import stock_risk
from model.market.horizon import Weeks


def weeks(mean: float, radius: float) -> Weeks:
    """Return eight equal weeks with 95 % intervals of this radius."""
    return Weeks(*(np.full((1, 8), mean + share * radius) for share in (0, -0.65, 0.65, -1, 1)))


def test_demand_that_varies_as_counts_do_runs_out_as_poisson_says() -> None:
    found = stock_risk.of_items(np.array([5.0]), weeks(2.0, 0.0))
    assert np.allclose(found.out_IxH[0], stats.poisson.sf(5, 2.0 * np.arange(1, 9)), atol=2e-3)


def test_the_chance_grows_with_time_and_falls_with_stock() -> None:
    few, many = (stock_risk.of_items(np.array([stock]), weeks(10.0, 8.0)).out_IxH[0] for stock in (20.0, 60.0))
    assert (np.diff(few) > 0).all()
    assert (few > many).all()
    assert stock_risk.of_items(np.array([0.0]), weeks(10.0, 8.0)).out_IxH[0, 0] > 0.98


def test_with_the_order_it_lasts_nine_times_in_ten() -> None:
    order = stock_risk.of_items(np.array([20.0]), weeks(10.0, 8.0)).order_I[0]
    after = stock_risk.of_items(np.array([20.0 + order]), weeks(10.0, 8.0))
    assert 1 - after.out_IxH[0, -1] >= stock_risk.SERVICE
    assert after.order_I[0] == 0


def test_an_item_that_nobody_wants_needs_no_order() -> None:
    found = stock_risk.of_items(np.array([3.0]), weeks(0.0, 0.0))
    assert found.order_I[0] == 0
    assert found.out_IxH.max() < 1e-6
