"""How sure figures are: intervals that hold the truth, and a model beside the best baseline on the same users."""

from __future__ import annotations

import numpy as np
import pytest

from model.recommend.evaluation import certainty


def test_intervals_hold_the_mean_that_users_are_drawn_from() -> None:
    chance = np.random.default_rng(0)
    held = [
        (found := certainty.interval(chance.beta(0.3, 2.7, size=150), seed=run)).low <= 0.1 <= found.high
        for run in range(100)
    ]
    assert 88 <= sum(held) <= 99


def test_a_gain_is_paired_and_sure_only_where_users_agree() -> None:
    chance = np.random.default_rng(1)
    base_S = chance.uniform(size=400)
    ndcg = {"model": base_S + 0.01, "popularity": base_S - 0.2, "item_cosine": base_S}
    found = certainty.compute(ndcg, model="model", users=500)
    assert found.baseline == "item_cosine"
    assert found.gain == pytest.approx((0.01, 0.01, 0.01))
    assert found.is_above
    assert found.ndcg["model"].low < found.ndcg["item_cosine"].high
    assert (found.users, found.left_out) == (500, 100)
    assert found.of_all["model"] == pytest.approx(ndcg["model"].sum() / 500)
    noisy = certainty.compute({**ndcg, "model": base_S + chance.normal(0.0, 1.0, 400)}, model="model", users=400)
    assert not noisy.is_above


def test_one_case_has_no_width() -> None:
    assert certainty.interval(np.array([0.5])) == (0.5, 0.5, 0.5)
