"""Trends: robust slopes, and few that are chance."""

from __future__ import annotations

import numpy as np
from scipy import stats

from model.market import testing, trends


def test_a_slope_is_a_share_of_the_level_and_one_large_order_does_not_make_it() -> None:
    steady = 10 + np.arange(26.0)
    spiked = steady.copy()
    spiked[5] = 5_000
    found = trends.of_series(np.stack([steady, spiked]))
    assert np.isclose(found.slope_S[0], 1 / steady.mean())
    assert found.slope_S[1] * spiked.mean() < 1.5
    assert found.direction_S.tolist() == [1, 1]
    assert (found.low_S <= found.slope_S).all()
    assert (found.slope_S <= found.high_S).all()


def test_the_p_value_is_that_of_kendalls_test() -> None:
    values = np.random.default_rng(1).normal(size=(4, 26)) + np.linspace(0, 1, 26)
    ours = trends.of_series(values).p_value_S
    theirs = [stats.kendalltau(range(26), row, method="asymptotic").pvalue for row in values]
    assert np.allclose(ours, theirs, atol=0.02)


def test_of_many_series_without_a_trend_hardly_any_is_called_one() -> None:
    units = np.random.default_rng(2).poisson(8, (2_000, 26)).astype(float)
    assert (trends.of_series(units).direction_S != 0).mean() < 0.001


def test_falling_series_are_found_among_others() -> None:
    rng = np.random.default_rng(4)
    flat, falling = rng.poisson(50, (200, 26)), rng.poisson(np.linspace(70, 30, 26), (50, 26))
    found = trends.of_series(np.concatenate([flat, falling]).astype(float))
    assert (found.direction_S[200:] == -1).mean() > 0.9
    assert (found.direction_S[:200] != 0).sum() <= 0.2 * (found.direction_S != 0).sum()


def test_few_weeks_and_equal_weeks_say_nothing() -> None:
    assert trends.of_series(np.array([[1.0, 2, 3]])).direction_S.tolist() == [0]
    found = trends.of_series(np.full((1, 26), 7.0))
    assert (found.slope_S[0], found.p_value_S[0], found.direction_S[0]) == (0, 1, 0)


def test_discoveries_are_those_of_scipys_correction() -> None:
    p_values = np.random.default_rng(6).beta(0.3, 2, 200)
    assert (testing.discoveries(p_values, 0.1) == (stats.false_discovery_control(p_values) <= 0.1)).all()
    assert testing.discoveries(np.zeros(0), 0.1).tolist() == []


def test_intervals_of_shares_are_wilsons() -> None:
    low, high = testing.share_interval(np.array([0, 3, 10]), np.array([10, 10, 10]))
    for place, successes in enumerate((0, 3, 10)):
        theirs = stats.binomtest(successes, 10).proportion_ci(method="wilson")
        assert np.allclose((low[place], high[place]), (theirs.low, theirs.high), atol=1e-3)
