import numpy as np

from model.recommend import events, transitions
from model.recommend.evaluation import baselines
from model.recommend.split import Holdout


def test_the_table_counts_one_over_the_distance():
    made = events.Interactions(np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 0, 2]), np.zeros(5), np.arange(5.0))
    table = transitions.count(made, np.ones(5, bool), 4)
    assert table.to_P[table.row_N[0] : table.row_N[1]].tolist() == [1, 2]
    assert table.count_P[table.row_N[0] : table.row_N[1]].tolist() == [1.0, 1.5]
    assert table.row_N[2] == table.row_N[3]


def test_votes_fade_with_recency_and_seen_items_are_left_out():
    made = events.Interactions(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 2, 3, 0, 2]), np.zeros(6), np.arange(6.0))
    train = np.array([True, True, True, True, False, False])
    table = transitions.count(made, train, 5)
    counts = baselines.popularity(made.items_E[train], 5)
    case = Holdout(np.array([4]), np.array([6]), [np.array([3])])
    ranked = baselines.rank_by_table(table, counts, made, case, [np.array([0, 2])], k=3)
    assert ranked[0].tolist() == [3, 1, 4]


def test_popularity_skips_what_was_seen():
    counts = np.array([5.0, 9.0, 7.0, 0.0])
    assert [row.tolist() for row in baselines.rank_popular(counts, [np.array([1]), np.array([])], k=2)] == [
        [2, 0],
        [1, 2],
    ]


def test_item_cosine_is_the_overlap_of_the_sets_of_users():
    made = events.Interactions(
        users_E=np.array([0, 0, 0, 1, 1, 2]),
        items_E=np.array([0, 1, 0, 0, 2, 2]),
        kinds_E=np.zeros(6),
        at_E=np.arange(6.0),
    )
    table = baselines.item_cosine(made, np.ones(6, bool), 3)
    rows = {
        item: dict(
            zip(
                table.to_P[table.row_N[item] : table.row_N[item + 1]].tolist(),
                table.count_P[table.row_N[item] : table.row_N[item + 1]].round(6).tolist(),
                strict=True,
            )
        )
        for item in range(3)
    }
    assert rows == {
        0: {1: round(1 / np.sqrt(2 * 1), 6), 2: round(1 / np.sqrt(2 * 2), 6)},
        1: {0: round(1 / np.sqrt(2), 6)},
        2: {0: 0.5},
    }


def test_item_cosine_looks_at_the_newest_different_items_only():
    made = events.Interactions(np.zeros(5, int), np.array([0, 1, 2, 1, 2]), np.zeros(5), np.arange(5.0))
    table = baselines.item_cosine(made, np.ones(5, bool), 3, last=2)
    assert table.to_P.tolist() == [2, 1]
    assert table.row_N.tolist() == [0, 0, 1, 2]
