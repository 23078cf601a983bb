import numpy as np
import pytest

from model.recommend.evaluation import linear
from model.recommend.events import Interactions
from model.recommend.split import Holdout


def _events(users: int, items: int, count: int = 60) -> Interactions:
    random = np.random.default_rng(0)
    users_E = np.sort(np.append(np.arange(users), random.integers(0, users, count)))
    items_E = random.integers(0, items, len(users_E))
    return Interactions(users_E, items_E, np.zeros(len(users_E)), np.arange(float(len(users_E))))


def _closed_form(events: Interactions, items: int, ridge: float) -> np.ndarray:
    touched_UxN = np.zeros((events.users_E.max() + 1, items))
    touched_UxN[events.users_E, events.items_E] = 1.0
    inverse_NxN = np.linalg.inv(touched_UxN.T @ touched_UxN + ridge * np.eye(items))
    weights_NxN = -inverse_NxN / np.diag(inverse_NxN)
    np.fill_diagonal(weights_NxN, 0.0)
    return weights_NxN


@pytest.mark.parametrize(("users", "items"), [(30, 8), (8, 30)])
def test_scores_are_those_of_the_closed_form_over_users_as_over_items(users, items):
    made = _events(users, items)
    model = linear.fit(made, np.ones(len(made.users_E), bool), items, ridge=20.0)
    case = Holdout(np.array([0]), np.array([3]), [np.zeros(0, int)])
    expected_N = np.zeros(items)
    for age, item in reversed(list(enumerate(made.items_E[:3][::-1]))):
        expected_N[item] = 0.5 ** (age / 2.0)
    found_N = next(linear.scores(model, made, case, half_life=2.0))
    np.testing.assert_allclose(found_N, expected_N @ _closed_form(made, items, 20.0), atol=1e-9)


@pytest.mark.parametrize(("telling", "half_life"), [(0, np.inf), (11, 3.0)])
def test_validation_chooses_whether_old_events_count_as_much_as_new_ones(telling, half_life):
    random, users = np.random.default_rng(0), 120
    rows_UxL = random.integers(20, 420, (users, 13))
    rows_UxL[:, telling], rows_UxL[:, 12] = np.arange(users) % 10, np.arange(users) % 10 + 10
    other = 11 - telling
    rows_UxL[:, other] = random.integers(0, 10, users)
    made = Interactions(
        np.repeat(np.arange(users), 13), rows_UxL.ravel(), np.zeros(13 * users), np.arange(13.0 * users)
    )
    mask_E = np.ones(13 * users, bool)
    mask_E[12 : 13 * 40 : 13] = False
    start_S = np.arange(40) * 13
    validation = Holdout(start_S, start_S + 12, list(rows_UxL[:40, 12:]))
    old = list(rows_UxL[:40, :12])
    assert linear.chosen(made, mask_E, validation, old, 420)[1] == half_life


def test_a_file_of_many_users_and_items_has_no_closed_form(monkeypatch):
    made = _events(30, 8)
    everything = np.ones(len(made.users_E), bool)
    assert linear.is_possible(made, everything, 8)
    assert not linear.is_possible(made, ~everything, 8)
    assert not linear.is_possible(made, everything, linear.MOST_ITEMS + 1)
    monkeypatch.setattr(linear, "MOST_INVERTED", 7)
    assert not linear.is_possible(made, everything, 8)
