"""Exponential smoothing: levels are carried on, and intervals hold what comes."""

from __future__ import annotations

import numpy as np

from model.market import smoothing


def test_intervals_hold_about_what_they_say() -> None:
    rng = np.random.default_rng(1)
    level = rng.gamma(3, 10, (400, 1))
    units = rng.negative_binomial(5, 5 / (5 + level), (400, 60)).astype(float)
    found = smoothing.forecast(units[:, :52], 8)
    coming = units[:, 52:]
    assert 0.75 < ((found.low80_SxH <= coming) & (coming <= found.high80_SxH)).mean() < 0.87
    assert 0.91 < ((found.low95_SxH <= coming) & (coming <= found.high95_SxH)).mean() < 0.985
    assert abs(found.mean_SxH.sum() / coming.sum() - 1) < 0.05


def test_the_ends_are_in_order_and_nothing_stays_nothing() -> None:
    units = np.concatenate([np.zeros((1, 30)), np.random.default_rng(2).poisson(0.3, (20, 30))]).astype(float)
    mean, low80, high80, low95, high95 = smoothing.forecast(units, 8)
    assert (low95 <= low80).all()
    assert (low80 <= mean).all()
    assert (mean <= high80).all()
    assert (high80 <= high95).all()
    assert (high95[0] == 0).all()


def test_a_new_level_is_taken_up() -> None:
    units = np.r_[np.full(30, 4.0), np.full(12, 100.0)][None]
    assert 90 < smoothing.forecast(units, 8).mean_SxH[0, 0] < 160
