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
    draws = learning.draws(learning.learn(history(drift=drift), CATEGORY_N, period_days=1.0), 300, seed=0)
    assert np.exp(draws.level_MxN.mean()) == pytest.approx(20.0 * np.exp(drift), rel=0.1)
    assert draws.elasticity_MxN.mean() == pytest.approx(SLOPE, rel=0.1)


def test_a_fit_that_begins_at_an_earlier_one_finds_what_a_fresh_one_does() -> None:
    whole = history(drift=0.5)
    earlier = learning.learn(History(*(column[..., :-7] for column in whole)), CATEGORY_N, period_days=1.0)
    warm, fresh = (
        learning.learn(whole, CATEGORY_N, period_days=1.0, before=earlier),
        learning.learn(whole, CATEGORY_N, period_days=1.0),
    )
    found = [learning.draws(each, 400, seed=1).elasticity_MxN.mean(0) for each in (warm, fresh)]
    assert found[0] == pytest.approx(found[1], rel=0.05)


def weekly(daily: History) -> History:
    """Return the same history by weeks; prices move on Mondays only."""
    weeks = daily.units_NxT.shape[1] // 7
    first = History(*(column[..., ::7] for column in daily))
    units_NxW = daily.units_NxT.reshape(ITEMS, weeks, 7).sum(-1)
    return first._replace(units_NxT=units_NxW, season_T=np.zeros(weeks, int))


def test_a_level_drifts_over_a_year_by_as_much_in_weeks_as_in_days() -> None:
    daily, by_week = histories.drifting(364, 1.0), histories.drifting(52, 7.0)
    assert by_week[-1] == pytest.approx(daily[-1])
    assert by_week == pytest.approx(daily[6::7])


def test_the_past_is_forgotten_as_fast_in_weeks_as_in_days() -> None:
    daily = history()
    reference_N = np.full(ITEMS, 10.0)
    by_day = histories.sales(daily, reference_N, np.ones(7), period_days=1.0, half_life_days=91.0)
    by_week = histories.sales(weekly(daily), reference_N, np.ones(1), period_days=7.0, half_life_days=91.0)
    assert by_week.weight_NxT[0, -(PERIODS // 7) :] == pytest.approx(by_day.weight_NxT[0, -PERIODS:][6::7])


def test_a_history_by_weeks_says_the_same_as_by_days() -> None:
    daily = history(drift=0.5)
    by_day = learning.draws(learning.learn(daily, CATEGORY_N, period_days=1.0), 400, seed=0)
    by_week = learning.draws(learning.learn(weekly(daily), CATEGORY_N, period_days=7.0), 400, seed=0)
    assert by_week.level_MxN.mean() == pytest.approx(by_day.level_MxN.mean() + np.log(7.0), abs=0.05)
    assert by_week.elasticity_MxN.mean() == pytest.approx(by_day.elasticity_MxN.mean(), rel=0.1)
    assert by_week.level_MxN.std(0).mean() == pytest.approx(by_day.level_MxN.std(0).mean(), rel=0.25)


def test_what_a_whole_category_sells_more_is_not_taken_for_an_effect_of_prices() -> None:
    sold = history()
    # Every week one category is in fashion or out of it, and the other is not.
    fashion_T = 0.4 * np.random.default_rng(7).standard_normal(PERIODS // 7).repeat(7)
    moved_NxT = np.where(CATEGORY_N[:, None] == 0, sold.units_NxT * np.exp(fashion_T), sold.units_NxT).round()
    moved = sold._replace(units_NxT=moved_NxT)
    together, alone = (
        learning.draws(
            learning.learn(moved, CATEGORY_N, period_days=1.0, pooled=pooled), 300, seed=0
        ).elasticity_MxN.mean(0)[::2]
        for pooled in (True, False)
    )
    assert np.abs(together - SLOPE).mean() < 0.5 * np.abs(alone - SLOPE).mean()


def test_fashions_are_of_the_other_items_of_a_category() -> None:
    sales = histories.sales(history(), np.full(ITEMS, 10.0), np.ones(7), period_days=1.0, half_life_days=np.inf)
    units_NxT = np.where(np.arange(ITEMS)[:, None] == 0, 3.0 * sales.units_NxT, sales.units_NxT)
    found_NxT = histories.fashions(sales._replace(units_NxT=units_NxT), sales.units_NxT, CATEGORY_N, np.ones(ITEMS))[
        :, -PERIODS:
    ]
    assert found_NxT[CATEGORY_N == 1] == pytest.approx(0.0)
    assert found_NxT[0] == pytest.approx(0.0)
    assert (found_NxT[2] > 0.1).all()
