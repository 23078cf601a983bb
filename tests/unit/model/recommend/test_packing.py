import jax
import numpy as np

from model.recommend import config, events, packing, split
from model.recommend.training import step

TINY = config.preset("tiny")


def test_every_history_is_whole_and_alone_in_its_segment(shop):
    parts = split.leave_last_out(shop.events(), TINY)
    starts, ends = parts.start_U, parts.end_U - np.arange(len(parts.end_U)) % 8
    packed = packing.pack(parts.events, starts, ends, TINY, multiple=8)
    rows = packed.rows
    assert len(rows.items_RxL) % 8 == 0
    for s, (start, end) in enumerate(zip(starts, ends, strict=True)):
        inside = rows.segments_RxL == s + 1
        assert inside.sum() == end - start + 1
        np.testing.assert_array_equal(rows.items_RxL[inside][1:], parts.events.items_E[start:end])
        assert rows.kinds_RxL[inside][0] == -1
        assert rows.segments_RxL[packed.row_S[s], packed.column_S[s]] == s + 1
        assert rows.choices_RxL[packed.row_S[s], packed.column_S[s]] == 0
    assert (rows.segments_RxL > 0).mean() > 0.9


def test_long_histories_are_cut_into_windows():
    starts, ends, begins = packing.windows(np.array([0, 30]), np.array([30, 34]), 12)
    assert list(zip(starts, ends, begins, strict=True)) == [
        (18, 30, False),
        (6, 18, False),
        (0, 6, True),
        (30, 34, True),
    ]


def test_a_cell_predicts_the_next_moment_and_never_its_own_basket():
    baskets = [[10, 11], [20], [30, 31, 32]]
    made = events.Interactions(
        users_E=np.zeros(6, np.int32),
        items_E=np.concatenate(baskets),
        kinds_E=np.full(6, config.KINDS.index("purchase")),
        at_E=np.repeat([1.0, 2.0, 3.0], [2, 1, 3]),
    )
    rows = packing.pack(made, np.array([0]), np.array([6]), TINY).rows
    drawn = {tuple(np.asarray(step._next_columns(rows, key=jax.random.key(n)))[0, :7].tolist()) for n in range(200)}
    seen = [{rows.items_RxL[0, columns[cell]].item() for columns in drawn} for cell in range(4)]
    assert seen == [{10, 11}, {20}, {20}, {30, 31, 32}]
    assert rows.choices_RxL[0].tolist() == [2, 1, 1, 3, 0, 0, 0] + [0] * 9
    cut = packing.pack(made, np.array([1]), np.array([5]), TINY, begins_S=np.array([False])).rows
    assert cut.choices_RxL[0, :5].tolist() == [0, 1, 2, 0, 0]
