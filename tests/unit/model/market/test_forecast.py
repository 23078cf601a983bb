"""Forecasts of weekly units: they add up, are never negative, know nothing of later weeks, and their intervals nest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import DataError
from model.market.forecast import experts, forecasting, hierarchy, intervals


def shop(items: int = 40, weeks: int = 24) -> np.ndarray:
    """Return counts of which some are rare, some rise, and one item is new in the last week."""
    random = np.random.default_rng(0)
    level = np.exp(random.normal(0.5, 1.5, items))[:, None]
    units = random.poisson(level * np.linspace(0.8, 1.2, weeks)).astype(float)
    units[0] = 0.0
    units[1, :-1], units[1, -1] = 0.0, 7.0
    return units


def test_forecasts_of_items_add_up_to_their_categories_and_the_total() -> None:
    groups = np.array(["b", "a"] * 20)
    found = forecasting.levels(shop(), 4, groups_S=groups)
    item = found.item.mean_SxH
    assert item.shape == (40, 4)
    assert np.allclose(found.category.mean_SxH, [item[groups == name].sum(0) for name in ("a", "b")])
    assert np.allclose(found.total.mean_SxH, item.sum(0, keepdims=True))


def test_intervals_nest_around_the_mean_and_are_never_negative() -> None:
    found = forecasting.forecast(shop(), 4)
    assert all(np.isfinite(part).all() for part in found)
    assert (found.low95_SxH >= 0).all()
    parts = (found.low95_SxH, found.low80_SxH, found.mean_SxH, found.high80_SxH, found.high95_SxH)
    assert all((low <= high).all() for low, high in zip(parts, parts[1:], strict=False))


def test_an_item_that_never_sold_is_forecast_to_sell_nothing() -> None:
    assert forecasting.forecast(shop(), 4).mean_SxH[0] == pytest.approx(0.0)


def test_the_same_seed_gives_the_same_forecast() -> None:
    first, second = (forecasting.forecast(shop(), 4, seed=3) for _ in range(2))
    assert np.array_equal(first.mean_SxH, second.mean_SxH)


def test_too_few_weeks_are_refused_with_how_many_are_needed() -> None:
    with pytest.raises(DataError, match="9 whole weeks are known; 10 are needed"):
        forecasting.forecast(shop(weeks=9), 4)
    assert forecasting.forecast(shop(weeks=10), 4).mean_SxH.shape == (40, 4)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_units_that_are_no_counts_are_refused(bad: float) -> None:
    units = shop()
    units[3, 3] = bad
    with pytest.raises(DataError, match="numbers from 0 on"):
        forecasting.forecast(units, 4)


def test_a_shop_of_one_item_is_forecast() -> None:
    found = forecasting.forecast(np.full((1, 20), 5.0), 2)
    assert found.mean_SxH == pytest.approx(np.full((1, 2), 5.0), rel=0.05)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1))
def test_forecasts_of_any_shop_are_made_coherent(seed: int, first: float, second: float) -> None:
    random = np.random.default_rng(seed)
    tree = hierarchy.build(random.integers(0, 3, 8), 8)
    stack = random.exponential(1.0, (8 + tree.groups + 1, 3)) * (random.random((8 + tree.groups + 1, 3)) < 0.8)
    found = tree.coherent(stack, (first, second))
    assert np.allclose(found, tree.stacked(found[:8]))
    assert (found >= 0).all()


def test_experts_see_nothing_of_series_that_are_no_part_of_their_own() -> None:
    units = shop()
    changed = units.copy()
    changed[5] *= 3
    before, after = (experts.build(one, one, 4).forecasts_SxHxK for one in (units, changed))
    assert np.array_equal(np.delete(before, 5, axis=0), np.delete(after, 5, axis=0))


def test_intervals_hold_the_share_that_they_say_of_counts_like_those_they_learned_from() -> None:
    random = np.random.default_rng(1)
    mean = np.exp(random.normal(0.5, 1.0, (4000, 4)))
    learnt, tested = random.poisson(mean), random.poisson(mean)
    low, high = intervals.fit(mean, learnt).interval(mean, 0)
    assert ((low <= tested) & (tested <= high)).mean() == pytest.approx(0.8, abs=0.03)
