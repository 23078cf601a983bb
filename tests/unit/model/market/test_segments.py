"""Customer segments: by recency, frequency and money, and by vectors."""

from __future__ import annotations

import numpy as np

from model.market import segments


def test_customers_are_named_by_how_lately_and_how_often_they_buy() -> None:
    days = np.array([1.0] * 20 + [1.0] * 20 + [300.0] * 20 + [300.0] * 40)
    orders = np.array([9] * 20 + [1] * 20 + [9] * 20 + [1] * 40)
    amount = orders * 10.0
    named = [segments.NAMES[one] for one in segments.by_recency_frequency(days, orders, amount)]
    assert set(named[:20]) == {segments.CHAMPIONS}
    assert set(named[20:40]) == {segments.NEW}
    assert set(named[40:60]) == {segments.SLIPPING}
    assert set(named[60:]) == {segments.LOST}
    assert set(segments.DESCRIPTIONS) == set(segments.NAMES)


def test_equal_values_have_equal_scores_and_a_single_customer_a_segment() -> None:
    assert set(segments.scores(np.ones(10))) == {1}
    assert len(segments.by_recency_frequency(np.array([3.0]), np.array([1]), np.array([5.0]))) == 1
    assert len(segments.by_recency_frequency(np.zeros(0), np.zeros(0, int), np.zeros(0))) == 0


def test_tastes_that_point_elsewhere_are_clusters() -> None:
    rng = np.random.default_rng(0)
    axes = np.repeat(np.eye(4), 100, axis=0)
    found = segments.by_vectors(axes * rng.uniform(1, 9, (400, 1)) + rng.normal(0, 0.1, (400, 4)))
    assert found is not None
    assert len(found.centres_KxD) == 4
    assert all(len(set(found.cluster_C[start : start + 100])) == 1 for start in range(0, 400, 100))
    assert np.allclose(np.linalg.norm(found.centres_KxD, axis=1), 1)


def test_few_customers_are_no_clusters() -> None:
    assert segments.by_vectors(np.ones((100, 3))) is None
