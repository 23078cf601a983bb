import numpy as np

from model.recommend import baselines, events, transitions
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
