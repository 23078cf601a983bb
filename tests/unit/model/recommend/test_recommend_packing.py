import numpy as np

from model.recommend import config, packing, split

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
        assert rows.weights_RxL[packed.row_S[s], packed.column_S[s]] == 0
    assert (rows.segments_RxL > 0).mean() > 0.9


def test_long_histories_are_cut_into_windows():
    starts, ends, begins = packing.windows(np.array([0, 30]), np.array([30, 34]), 12)
    assert list(zip(starts, ends, begins, strict=True)) == [
        (18, 30, False),
        (6, 18, False),
        (0, 6, True),
        (30, 34, True),
    ]
