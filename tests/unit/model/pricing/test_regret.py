"""Regret and shares of the clairvoyant gain, on curves that are known."""

from __future__ import annotations

import numpy as np
import pytest

from model.pricing.evaluation import regret


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_the_growth_of_a_power_of_time_is_that_power(power: float) -> None:
    assert regret.growth(3.0 * np.arange(1.0, 365.0) ** power) == pytest.approx(power)


def test_no_regret_has_no_growth() -> None:
    assert np.isnan(regret.growth(np.zeros(100)))


def test_a_policy_half_way_between_fixed_and_best_has_half_of_the_gain() -> None:
    fixed_T, best_T = np.full(10, 2.0), np.full(10, 4.0)
    assert regret.captured(np.full(10, 3.0), fixed_T, best_T) == pytest.approx(0.5)
    assert regret.cumulative(np.full(10, 3.0), best_T)[-1] == pytest.approx(2.5)
