"""Demand by price: known elasticities are found again, sparse items borrow, and confounded prices mislead nobody."""

from __future__ import annotations

import numpy as np
import pytest

from model.pricing import response
from model.pricing.response import Draws, Posterior, Sales

ITEMS, PERIODS = 24, 64


def known(*, form: str = "constant", seed: int = 0, spread: float = 0.12) -> tuple[Sales, np.ndarray, np.ndarray]:
    """Return sales, categories and the true elasticities."""
    random = np.random.default_rng(seed)
    category_N = np.repeat(np.arange(4), ITEMS // 4)
    slope_N = np.exp(np.log([1.5, 2.0, 2.5, 3.0])[category_N] + 0.1 * random.standard_normal(ITEMS))
    price = random.normal(0, spread, (ITEMS, PERIODS))
    share = np.exp(-slope_N[:, None] * price)
    if form == "linear":
        share = np.maximum(1.0 - slope_N[:, None] * np.expm1(price), 0.02)
    units = random.poisson(np.exp(random.normal(3.0, 0.5, ITEMS))[:, None] * share)
    none = np.zeros((ITEMS, PERIODS))
    return Sales(units, price, np.zeros((ITEMS, PERIODS, 0)), none, none + 1.0), category_N, slope_N


def elasticities(posterior: Posterior) -> np.ndarray:
    draws: Draws = response.draw(posterior, 400, seed=1)
    return response.elasticity(draws, np.zeros(posterior.mode_SxNxD.shape[1]))


# A straight line is none of the forms that are averaged, so its intervals are a little narrow.
@pytest.mark.parametrize(("form", "held"), [("constant", 0.9), ("linear", 0.8)])
def test_elasticities_are_found_again_with_intervals_that_hold_them(form: str, held: float) -> None:
    errors, inside = [], []
    for seed in range(4):
        sales, category_N, slope_N = known(form=form, seed=seed)
        found = elasticities(response.fit(sales, category_N))
        errors.append(np.abs(np.log(found.mean(0) / slope_N)).mean())
        low, high = np.quantile(found, (0.025, 0.975), axis=0)
        inside.append(((low <= slope_N) & (slope_N <= high)).mean())
    assert np.mean(errors) < 0.12
    assert np.mean(inside) > held


def test_a_linear_demand_is_told_from_one_of_constant_elasticity() -> None:
    constant, linear = (response.fit(*known(form=form, spread=0.25)[:2]) for form in ("constant", "linear"))
    typical = [(fit.bend_KxS * response.BENDS).sum(1).mean() for fit in (constant, linear)]
    assert typical[0] < 0.7 < 2.0 < typical[1]


def test_an_item_that_never_sold_borrows_from_its_category() -> None:
    sales, category_N, slope_N = known()
    weight = sales.weight_NxT.copy()
    weight[0] = 0.0
    found = elasticities(response.fit(sales._replace(weight_NxT=weight), category_N))
    same = category_N == category_N[0]
    assert found[:, 0].mean() == pytest.approx(slope_N[same].mean(), rel=0.25)
    # It is less sure than those that sold.
    assert found[:, 0].std() > found[:, same][:, 1:].std(0).max()


def test_items_alone_know_less_than_items_together() -> None:
    sales, category_N, slope_N = known(spread=0.04)
    together, alone = (elasticities(response.fit(sales, category_N, pooled=pooled)) for pooled in (True, False))
    errors = [np.abs(np.log(found.mean(0) / slope_N)).mean() for found in (together, alone)]
    assert errors[0] < errors[1]


def test_no_draw_ever_sells_more_at_a_higher_price() -> None:
    sales, category_N, _ = known()
    random = np.random.default_rng(3)
    noise = sales._replace(units_NxT=random.poisson(5.0, (ITEMS, PERIODS)), price_NxT=-sales.price_NxT)
    draws = response.draw(response.fit(noise, category_N), 200, seed=0)
    assert (draws.elasticity_MxN > 0).all()
    rising = response.response(np.linspace(-1, 1, 50)[:, None], np.asarray(response.BENDS)[None, :])
    assert (np.diff(rising, axis=0) > 0).all()


def test_a_residual_of_the_price_takes_what_moved_price_and_demand_alike() -> None:
    random = np.random.default_rng(4)
    category_N, slope = np.zeros(ITEMS, int), 2.0
    shock = 0.3 * random.standard_normal((ITEMS, PERIODS))
    cost = 0.15 * random.standard_normal((ITEMS, PERIODS))
    price = cost + 0.5 * shock
    units = random.poisson(20.0 * np.exp(shock - slope * price))
    none = np.zeros((ITEMS, PERIODS))
    misled = Sales(units, price, np.zeros((ITEMS, PERIODS, 0)), none, none + 1.0)
    told = misled._replace(covariates_NxTxC=(0.5 * shock)[..., None])
    biased, sound = (elasticities(response.fit(sales, category_N)).mean() for sales in (misled, told))
    assert biased < 1.3
    assert sound == pytest.approx(slope, rel=0.1)
