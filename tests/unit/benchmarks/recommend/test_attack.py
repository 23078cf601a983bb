"""Fake users: what they do, and that a split learns from them without ever holding one of their events out."""

import numpy as np
import pytest

from benchmarks.recommend.robustness import attack, models
from model.errors import DataError
from model.recommend import config, events, split
from model.recommend.events import Interactions

TINY = config.preset("tiny")
USERS, ITEMS = 200, 120


@pytest.fixture
def parts():
    random = np.random.default_rng(0)
    item_UxL = np.stack([random.choice(ITEMS, 8, replace=False) for _ in range(USERS)]) // 2 * 2
    made = Interactions(
        users_E=np.repeat(np.arange(USERS), 8).astype(np.int32),
        items_E=item_UxL.reshape(-1).astype(np.int32),
        kinds_E=np.full(USERS * 8, config.KINDS.index("purchase"), np.int32),
        at_E=np.tile(60.0 * np.arange(8), USERS),
    )
    return split.leave_last_out(made, TINY)


def test_every_fake_user_has_all_targets_and_distinct_fillers(parts):
    made = attack.push(parts, TINY, share=0.05, seed=3)
    assert made.users == 10
    profiles = made.fake.items_E.reshape(made.users, -1)
    for profile in profiles:
        assert np.isin(made.targets_T, profile).all()
        assert len(np.unique(profile)) == attack.TARGETS + attack.FILLERS
    assert len(np.unique(profiles, axis=0)) == made.users
    assert (np.diff(made.fake.at_E.reshape(made.users, -1)) == 60.0).all()
    assert (made.fake.kinds_E == config.KINDS.index("purchase")).all()


def test_targets_are_among_the_least_popular_tenth_of_the_learned_items(parts):
    made = attack.push(parts, TINY, share=0.05, seed=3)
    counts_N = np.bincount(parts.events.items_E[split.training_mask(parts)])
    learned = np.sort(counts_N[counts_N > 0])
    assert (made.counts_T == counts_N[made.targets_T]).all()
    assert made.counts_T.min() > 0
    assert made.counts_T.max() <= learned[len(learned) // 10 - 1]


def test_the_same_seed_makes_the_same_attack(parts):
    one, again, other = (attack.push(parts, TINY, share=0.05, seed=seed) for seed in (3, 3, 4))
    assert (one.fake.items_E == again.fake.items_E).all()
    assert not np.array_equal(one.fake.items_E, other.fake.items_E)


def test_a_split_learns_from_fake_users_and_holds_none_of_them_out(parts):
    fake = attack.push(parts, TINY, share=0.05, seed=3).fake
    made = attack.attacked(parts, fake)
    real = len(parts.events.users_E)
    assert made.test is parts.test
    assert made.validation is parts.validation
    assert (split.training_mask(made)[:real] == split.training_mask(parts)).all()
    assert split.training_mask(made)[real:].all()
    assert np.array_equal(made.refit_end_U[len(parts.start_U) :], made.end_U[len(parts.start_U) :])
    spans = zip(made.start_U, made.end_U, strict=True)
    assert [np.unique(made.events.users_E[start:end]).size for start, end in spans] == [1] * (USERS + 10)
    in_order = events.ordered(made.events)
    assert all((one == other).all() for one, other in zip(in_order, made.events, strict=True))


def test_without_fake_users_the_split_stays_as_it_is(parts):
    nobody = Interactions(*(column[:0] for column in parts.events))
    assert attack.attacked(parts, nobody) is parts


def test_a_fake_user_that_is_a_real_one_is_refused(parts):
    with pytest.raises(DataError, match="fake user 199 must be above"):
        attack.attacked(parts, events.take(parts.events, parts.events.users_E == USERS - 1))


def test_a_catalogue_too_small_to_hide_in_is_refused(parts):
    few = parts._replace(events=parts.events._replace(items_E=parts.events.items_E % 40))
    with pytest.raises(DataError, match="takes 50 items"):
        attack.push(few, TINY, share=0.05, seed=3)


def test_overlap_ignores_the_order_and_exposure_counts_places_and_users():
    one_SxK = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    other_SxK = np.array([[4, 3, 2, 1], [5, 9, 10, 11]])
    assert models.overlap(one_SxK, other_SxK) == 0.625
    shown = models.exposure(other_SxK, np.array([9, 10, 12]))
    assert shown == {"places": 0.25, "users": 0.5, "users_per_target": [1, 1, 0]}
