"""Price response: elasticities that are in the data, shrunk where they are uncertain."""

from __future__ import annotations

import numpy as np

from model.market import queries, response


def shop(elasticity: float, *, items: int = 40, weeks: int = 60, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    prices = 10 * np.where(rng.random((items, weeks)) < 0.3, 0.7, 1.0)
    season = 1 + 0.8 * np.sin(np.arange(weeks) / 8)
    units = rng.poisson(40 * season * (prices / 10) ** elasticity)
    return units.astype(float), prices


def test_an_elasticity_is_found_whatever_the_season() -> None:
    units, prices = shop(-2.0)
    found = response.elasticities(units, prices, np.zeros(40, int))
    assert abs(found.value_I.mean() + 2.0) < 0.15
    assert ((found.low_I < -2.0) & (found.high_I > -2.0)).mean() > 0.7


def test_promoted_weeks_sell_more_by_what_the_price_says() -> None:
    units, prices = shop(-2.0)
    found = response.uplifts(units, prices, np.zeros(40, int))
    assert abs(np.exp(found.value_I.mean()) - 0.7**-2.0) < 0.25


def test_an_uncertain_estimate_is_drawn_further_to_its_group_than_a_sure_one() -> None:
    raw = response.Estimates(np.array([-2.0, -2.2, -1.8, -9.0, -9.0]), np.array([0.1, 0.1, 0.1, 0.1, 5.0]))
    found = response.shrunk(raw, np.zeros(5, int))
    assert abs(found.value_I[3] + 9.0) < 0.1
    assert found.value_I[4] > -6
    assert found.error_I[4] < 5.0


def test_a_price_that_never_moved_says_nothing_and_neither_do_a_few_weeks() -> None:
    units, prices = shop(-2.0, items=2)
    prices[0] = 10.0
    prices[1, :-4] = np.nan
    assert np.isnan(response.elasticities(units, prices, np.zeros(2, int)).value_I).all()


def test_a_week_without_a_sale_has_the_price_of_the_week_before() -> None:
    found = response.carried(np.array([[np.nan, 2.0, np.nan, np.nan, 3.0]]))
    assert np.array_equal(found, np.array([[np.nan, 2.0, 2.0, 2.0, 3.0]]), equal_nan=True)


def test_a_week_is_promoted_against_the_weeks_before_it() -> None:
    prices = np.array([[10.0] * 8 + [8.9, 10.0, 9.5]])
    assert response.promoted(prices)[0].tolist() == [False] * 8 + [True, False, False]


def test_a_query_that_comes_more_often_than_before_grows() -> None:
    ratio, p_value = queries.growth(np.array([10, 30, 0]), np.array([30, 0, 9]), share=0.25)
    assert np.isclose(ratio[0], 1.0, atol=0.1)
    assert p_value[0] > 0.4
    assert ratio[1] > 50
    assert p_value[1] < 1e-9
    assert p_value[2] == 1
