"""Judged queries: figures worked out by hand, splits that keep a query whole, and typing errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import metrics
from model.errors import DataError
from model.search.learning import judgements
from model.search.learning.judgements import Judged

JUDGED = Judged(("a", "b", "c"), ({0: 3.0, 1: 2.0, 2: 1.0}, {5: 3.0}, {7: 1.0}))


def test_figures_by_hand() -> None:
    figures = judgements.figures(JUDGED, [[9, 1, 0], [], [7]])
    ideal = 2 + 1 / math.log2(3)
    first = (1 / math.log2(3) + 2 / math.log2(4)) / ideal
    # The third query has no gain: it counts for no mean.
    assert figures["ndcg@10"] == pytest.approx(first / 2)
    assert figures["mrr"] == pytest.approx((1 / 3) / 2)
    assert figures["recall@100"] == pytest.approx(1 / 2)
    assert figures["queries"] == 3


def test_the_ideal_ranking_has_the_figure_one() -> None:
    figures = judgements.figures(JUDGED, [[0, 1, 2], [5], [7]])
    assert figures["ndcg@10"] == figures["mrr"] == figures["recall@10"] == pytest.approx(1)


def test_graded_ndcg_of_two_grades_is_the_plain_one() -> None:
    hits_BxK = np.array([[False, True, True], [True, False, False]])
    plain_B = metrics.ndcg(hits_BxK, 3, np.array([2, 1]))
    assert metrics.graded_ndcg(hits_BxK.astype(float), [[1, 1], [1]], 3) == pytest.approx(plain_B)
    assert np.isnan(metrics.graded_ndcg(np.zeros((1, 3)), [[0.0]], 3)).all()


def test_a_split_keeps_each_query_with_its_judgements_on_one_side() -> None:
    many = Judged(tuple(map(str, range(50))), tuple({n: 3.0} for n in range(50)))
    tested, known = judgements.split(many, 0.2, seed=0)
    assert len(tested.queries) == 10
    assert sorted((*tested.queries, *known.queries), key=int) == list(many.queries)
    assert all(
        relevance == {int(query): 3.0} for query, relevance in zip(tested.queries, tested.relevance, strict=True)
    )
    assert judgements.split(many, 0.2, seed=0)[0].queries == tested.queries
    assert judgements.split(many, 0.2, seed=1)[0].queries != tested.queries
    with pytest.raises(DataError, match="empty"):
        judgements.split(many.pick([0]), 0.2, seed=0)


@given(st.lists(st.text(max_size=20)), st.integers(0, 9))
def test_a_typing_error_is_one_edit(queries: list[str], seed: int) -> None:
    for before, after in zip(queries, judgements.misspelt(queries, seed=seed), strict=True):
        assert abs(len(before) - len(after)) <= 1
        assert after == before or any(character.isalnum() for character in before)
        different = sum(a != b for a, b in zip(before, after, strict=False))
        assert len(before) != len(after) or different <= 2


def test_typing_errors_are_the_same_for_the_same_seed() -> None:
    queries = ["cordless drill", "手机壳", "!!", ""]
    assert judgements.misspelt(queries, seed=3) == judgements.misspelt(queries, seed=3)
    assert judgements.misspelt(queries, seed=3)[2:] == ["!!", ""]
