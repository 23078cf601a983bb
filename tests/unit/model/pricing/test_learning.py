"""Learning from a history: levels drift without taking elasticities along, and a warm start finds the same."""

from __future__ import annotations

import numpy as np
import pytest

from model.pricing import history as histories
from model.pricing import learning
from model.pricing.history import History

ITEMS, PERIODS, SLOPE = 12, 182, 2.0
CATEGORY_N = np.arange(ITEMS) % 2


def history(*, drift: float = 0.0, seed: int = 0) -> History:
    """Return a history of unconfounded prices, whose level ends higher by `drift` in logs."""
    random = np.random.default_rng(seed)
    price_NxT = 10.0 * np.exp(0.12 * random.standard_normal((ITEMS, PERIODS // 7)).repeat(7, axis=1))
    rise_T = drift * np.linspace(0.0, 1.0, PERIODS)
    units_NxT = random.poisson(20.0 * np.exp(rise_T) * (price_NxT / 10.0) ** -SLOPE).astype(float)
    none = np.zeros((ITEMS, PERIODS))
    chosen = np.ones((ITEMS, PERIODS), bool)
    return History(units_NxT, price_NxT, none + 5.0, none + np.nan, none, np.arange(PERIODS) % 7, chosen)


@pytest.mark.parametrize("drift", [-1.0, 0.0, 1.0])
def test_a_level_that_drifts_is_followed_and_the_elasticity_stays(drift: float) -> None:
    draws = learning.draws(learning.learn(history(drift=drift), CATEGORY_N), 300, seed=0)
    assert np.exp(draws.level_MxN.mean()) == pytest.approx(20.0 * np.exp(drift), rel=0.1)
    assert draws.elasticity_MxN.mean() == pytest.approx(SLOPE, rel=0.1)


def test_a_fit_that_begins_at_an_earlier_one_finds_what_a_fresh_one_does() -> None:
    whole = history(drift=0.5)
    earlier = learning.learn(History(*(column[..., :-7] for column in whole)), CATEGORY_N)
    warm, fresh = learning.learn(whole, CATEGORY_N, before=earlier), learning.learn(whole, CATEGORY_N)
    found = [learning.draws(each, 400, seed=1).elasticity_MxN.mean(0) for each in (warm, fresh)]
    assert found[0] == pytest.approx(found[1], rel=0.05)


def test_what_a_whole_category_sells_more_is_not_taken_for_an_effect_of_prices() -> None:
    sold = history()
    # Every week one category is in fashion or out of it, and the other is not.
    fashion_T = 0.4 * np.random.default_rng(7).standard_normal(PERIODS // 7).repeat(7)
    moved_NxT = np.where(CATEGORY_N[:, None] == 0, sold.units_NxT * np.exp(fashion_T), sold.units_NxT).round()
    moved = sold._replace(units_NxT=moved_NxT)
    together, alone = (
        learning.draws(learning.learn(moved, CATEGORY_N, pooled=pooled), 300, seed=0).elasticity_MxN.mean(0)[::2]
        for pooled in (True, False)
    )
    assert np.abs(together - SLOPE).mean() < 0.5 * np.abs(alone - SLOPE).mean()


def test_fashions_are_of_the_other_items_of_a_category() -> None:
    sales = histories.sales(history(), np.full(ITEMS, 10.0), np.ones(7), half_life=np.inf)
    units_NxT = np.where(np.arange(ITEMS)[:, None] == 0, 3.0 * sales.units_NxT, sales.units_NxT)
    found_NxT = histories.fashions(sales._replace(units_NxT=units_NxT), sales.units_NxT, CATEGORY_N, np.ones(ITEMS))[
        :, -PERIODS:
    ]
    assert found_NxT[CATEGORY_N == 1] == pytest.approx(0.0)
    assert found_NxT[0] == pytest.approx(0.0)
    assert (found_NxT[2] > 0.1).all()
