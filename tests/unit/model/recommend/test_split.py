import numpy as np
import pytest

from model.errors import DataError
from model.recommend import config, events, split

TINY = config.preset("tiny")
VIEW, PURCHASE, IMPRESSION = (config.KINDS.index(kind) for kind in ("view", "purchase", "impression"))


def interactions(rows):
    users, items, kinds, at = zip(*rows, strict=True)
    return events.Interactions(np.array(users), np.array(items), np.array(kinds), np.array(at, np.float64))


def test_the_last_basket_is_the_test_and_the_one_before_the_validation():
    parts = split.leave_last_out(
        interactions(
            [
                (7, 5, PURCHASE, 30),
                (7, 1, VIEW, 10),
                (7, 4, VIEW, 30),
                (7, 9, IMPRESSION, 25),
                (7, 2, VIEW, 20),
                (7, 3, IMPRESSION, 40),
                (8, 1, VIEW, 1),
                (8, 2, VIEW, 2),
            ]
        ),
        TINY,
    )
    assert [truth.tolist() for truth in parts.test.truth] == [[4, 5]]
    assert [truth.tolist() for truth in parts.validation.truth] == [[2]]
    trained = split.training_mask(parts)
    assert list(zip(parts.events.users_E[trained], parts.events.items_E[trained], strict=True)) == [
        (7, 1),
        (8, 1),
        (8, 2),
    ]
    assert parts.events.items_E[parts.test.start_S[0] : parts.test.end_S[0]].tolist() == [1, 2, 9]


def test_no_future_leaks(shop):
    random = np.random.default_rng(1)
    made = shop.events()
    order = random.permutation(len(made.users_E))
    parts = split.leave_last_out(events.take(made, order), TINY)
    learned, at, users = split.training_mask(parts), parts.events.at_E, parts.events.users_E
    assert len(parts.test.truth) == len(np.unique(users))
    for holdout in (parts.validation, parts.test):
        for start, end, truth in zip(*holdout, strict=True):
            user = users[start]
            held = (users == user) & np.isin(parts.events.items_E, truth)
            assert at[start:end].max() < at[held].min()
            assert at[learned & (users == user)].max() < at[held].min()


def test_the_order_of_arrival_does_not_matter(shop):
    made = shop.events()
    shuffled = events.take(made, np.random.default_rng(2).permutation(len(made.users_E)))
    for one, other in zip(
        split.leave_last_out(made, TINY).events, split.leave_last_out(shuffled, TINY).events, strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((0, 99, 0, 0.0), r"items_E\[1\] is 99"),
        ((0, 0, 9, 0.0), r"kinds_E\[1\] is 9"),
        ((0, 0, 0, float("nan")), "at_E"),
    ],
)
def test_contradictory_events_are_refused(row, message):
    with pytest.raises(DataError, match=message):
        events.check(interactions([(0, 0, 0, 0.0), row]), items=10, kinds=9)


def test_the_full_protocol_holds_back_a_second_basket_of_few_users_and_gives_it_to_the_refit(shop):
    few = config.preset("tiny", validation_users=10)
    parts = split.leave_last_out_full(shop.events(), few, seed=3)
    assert len(parts.test.truth) == 160
    assert len(parts.validation.truth) == 10
    kept_back = parts.refit_end_U - parts.train_end_U
    assert sorted(kept_back.tolist()) == [0] * 150 + [1] * 10
    np.testing.assert_array_equal(parts.refit_end_U, parts.test.end_S)


def test_a_time_split_learns_from_before_the_cut_only_and_tests_on_the_last_basket_after(shop):
    made = shop.events()
    cut = float(np.quantile(made.at_E, 0.5))
    parts = split.by_time(made, TINY, cut=cut)
    for end_U in (parts.train_end_U, parts.refit_end_U):
        assert parts.events.at_E[split.mask_until(parts, end_U)].max() < cut
    assert (~split.mask_until(parts, parts.refit_end_U) == (parts.events.at_E >= cut)).all()
    assert len(parts.test.truth) > 0
    for start, end, truth in zip(*parts.test, strict=True):
        assert end > start
        assert parts.events.at_E[end] >= cut
        assert parts.events.users_E[end] == parts.events.users_E[start]
        assert end + 1 == len(parts.events.users_E) or parts.events.users_E[end + 1] != parts.events.users_E[end]
        assert truth.tolist() == [parts.events.items_E[end]]
    for _, end, _ in zip(*parts.validation, strict=True):
        assert parts.events.at_E[end] < cut
