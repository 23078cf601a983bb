"""The linear part: weights of a regression, cut to the strongest, and what they add to scores."""

import numpy as np
import pytest

from model.recommend import config, events, neighbours
from model.recommend.transitions import NOTHING

VIEW, PURCHASE, DISMISS = (config.KINDS.index(kind) for kind in ("view", "purchase", "dismiss"))


def interactions(users, items, kinds=None):
    kinds = np.full(len(users), PURCHASE) if kinds is None else np.array(kinds)
    return events.Interactions(np.array(users), np.array(items), kinds, np.arange(float(len(users))))


def fitted(made, catalogue, **options):
    return neighbours.fit(made, np.ones(len(made.users_E), bool), catalogue, **{"width": 3, **options})


def table_of(made, catalogue):
    """The table as a matrix, items by items."""
    matrix_NxN = np.zeros((catalogue, catalogue))
    for item in range(catalogue):
        kept = made.to_NxW[item] != NOTHING
        matrix_NxN[item, made.to_NxW[item][kept]] = made.weights_NxW[item][kept]
    return matrix_NxN


def test_weights_are_those_of_the_regression_of_each_item_on_all_others():
    """With few items nothing is cut: the positive weights are those of EASE without the constraint of one matrix."""
    random = np.random.default_rng(0)
    touched_UxN = random.random((80, 5)) < 0.4
    users, items = np.nonzero(touched_UxN)
    made = fitted(interactions(users, items), 5, width=5, ridge=3.0)
    expected_NxN = np.zeros((5, 5))
    for item in range(5):
        others = [n for n in range(5) if n != item]
        known = touched_UxN[:, others].astype(float)
        weights = np.linalg.solve(known.T @ known + 3.0 * np.eye(4), known.T @ touched_UxN[:, item])
        expected_NxN[others, item] = np.maximum(weights, 0.0)
    np.testing.assert_allclose(table_of(made, 5), expected_NxN, rtol=1e-5, atol=1e-6)


def test_an_item_that_only_comes_with_another_adds_little_to_what_both_bring():
    """Items 0 and 1 are always touched together; a count would give 2 both shares in full."""
    users = np.repeat(np.arange(30), 3)
    made = table_of(fitted(interactions(users, np.tile([0, 1, 2], 30)), 3, ridge=1.0), 3)
    assert made[0, 2] == pytest.approx(made[1, 2], rel=1e-5)
    assert made[0, 2] + made[1, 2] == pytest.approx(1.0, abs=0.05)


def test_only_the_strongest_are_kept_greatest_first():
    random = np.random.default_rng(1)
    users, items = np.nonzero(random.random((200, 12)) < 0.5)
    whole, cut = (fitted(interactions(users, items), 12, width=width, ridge=5.0) for width in (12, 3))
    assert (np.diff(cut.weights_NxW, axis=1) <= 0).all()
    np.testing.assert_array_equal(cut.to_NxW, whole.to_NxW[:, :3])


def test_a_weak_event_touches_less_and_a_dismissal_not_at_all():
    kinds = np.zeros(len(config.KINDS))
    kinds[[VIEW, PURCHASE]] = 0.5, 1.0
    users = np.repeat(np.arange(40), 2)
    bought = interactions(users, np.tile([0, 1], 40), [PURCHASE] * 80)
    viewed = interactions(users, np.tile([0, 1], 40), [VIEW, PURCHASE] * 40)
    dismissed = interactions(users, np.tile([0, 1], 40), [DISMISS, PURCHASE] * 40)
    strong, weak, none = (table_of(fitted(made, 2, strengths_K=kinds), 2)[0, 1] for made in (bought, viewed, dismissed))
    assert strong > weak > none == 0.0


def test_what_may_not_be_learned_from_has_no_weight():
    made = interactions([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 2])
    mask_E = np.array([True, True, True, True, False, False])
    near = neighbours.fit(made, mask_E, 3, width=2)
    assert NOTHING in near.to_NxW[2]
    assert 2 not in near.to_NxW


def test_without_events_or_width_the_table_is_empty():
    made = interactions([0, 0], [0, 1])
    assert neighbours.fit(made, np.zeros(2, bool), 3, width=2).to_NxW.tolist() == [[NOTHING] * 2] * 3
    assert neighbours.fit(made, np.ones(2, bool), 3, width=0).to_NxW.shape == (3, 0)


def test_long_histories_are_cut_and_too_many_left_out(monkeypatch):
    """The same pairs for the same seed; fewer of them."""
    monkeypatch.setattr(neighbours, "_LONGEST", 3)
    made = interactions([0] * 6 + [1] * 6, list(range(6)) * 2)
    near = fitted(made, 6, width=6)
    assert set(near.to_NxW[near.to_NxW != NOTHING].tolist()) == {3, 4, 5}
    monkeypatch.setattr(neighbours, "_MOST_PAIRS", 10)
    assert (fitted(made, 6).to_NxW == NOTHING).all()  # of one user alone nothing is learned
