"""Clicks: what was clicked because it stood first is told from what was right."""

from __future__ import annotations

import numpy as np
import pytest

from model.search.learning import clicks

SEEN = np.array([1.0, 0.6, 0.35, 0.2])
RIGHT = np.array([0.1, 0.2, 0.3, 0.8])


def _shown(searches: int = 6000) -> clicks.Shown:
    """One query; the right item mostly stands last, and one search in three is shuffled."""
    random = np.random.default_rng(0)
    order_SxK = np.tile(np.arange(4), (searches, 1))
    shuffled = random.random(searches) < 0.33
    order_SxK[shuffled] = random.permuted(order_SxK[shuffled], axis=1)
    clicked_SxK = random.random((searches, 4)) < SEEN[None] * RIGHT[order_SxK]
    rank_R = np.tile(np.arange(4), searches)
    return clicks.Shown(np.zeros(4 * searches, int), order_SxK.ravel(), rank_R, clicked_SxK.ravel())


def test_the_right_item_is_found_though_it_stood_last() -> None:
    shown = _shown()
    naive = [shown.clicked_R[shown.item_R == item].mean() for item in range(4)]
    assert naive[3] < 3 * naive[0]
    found = clicks.estimate(shown)
    assert found.seen_K == pytest.approx(SEEN, abs=0.08)
    assert found.right_P == pytest.approx(RIGHT, abs=0.1)
    assert found.right_P[3] > 5 * found.right_P[0]


def test_clicks_become_judgements() -> None:
    learnt = clicks.judged(clicks.estimate(_shown()), ["drill", "never shown"])
    assert learnt.queries == ("drill",)
    assert max(learnt.relevance[0], key=lambda item: learnt.relevance[0][item]) == 3
    assert learnt.least == 0.0


def test_a_pair_shown_once_says_little() -> None:
    once = clicks.Shown(np.array([0, 0]), np.array([0, 1]), np.array([0, 1]), np.array([True, False]))
    found = clicks.estimate(once)
    assert 0.05 < found.right_P[1] < found.right_P[0] < 0.5
