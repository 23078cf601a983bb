"""Basket associations: counts, lift, and no pairs by chance."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.market import baskets

LINES = st.lists(st.tuples(st.integers(0, 20), st.integers(-1, 5)), max_size=60)


@given(LINES, st.integers(0, 20))
def test_counts_are_those_of_all_pairs_of_a_basket_in_whatever_pieces_they_come(
    lines: list[tuple[int, int]], cut: int
) -> None:
    counts = baskets.none(6)
    for part in ([line for line in lines if line[0] < cut], [line for line in lines if line[0] >= cut]):
        held = np.array(part, int).reshape(-1, 2)
        counts = baskets.counted(counts, held[:, 0], held[:, 1])
    sets = {basket: {item for other, item in lines if other == basket} - {-1} for basket, _ in lines}
    assert counts.baskets == len(sets)
    pairs = counts.with_pair_IxI.toarray()
    for first in range(6):
        assert counts.with_item_I[first] == sum(first in held for held in sets.values())
        for second in range(6):
            expected = sum({first, second} <= held for held in sets.values()) if first < second else 0
            assert pairs[first, second] == expected


def counted(sets: list[list[int]], items: int) -> baskets.Counts:
    lines = np.array([(basket, item) for basket, held in enumerate(sets) for item in held])
    return baskets.counted(baskets.none(items), lines[:, 0], lines[:, 1])


def test_a_pair_that_is_bought_together_has_its_figures_in_both_directions() -> None:
    found = baskets.associations(counted([[0, 1]] * 20 + [[0]] * 20 + [[2]] * 60, 3))
    assert list(zip(found.first_P, found.second_P, strict=True)) == [(1, 0), (0, 1)]
    assert found.baskets_P.tolist() == [20, 20]
    assert np.allclose(found.support_P, 0.2)
    assert np.allclose(found.confidence_P, [1.0, 0.5])
    assert np.allclose(found.lift_P, 2.5)
    assert (found.lift_low_P < found.lift_P).all()
    assert (found.lift_low_P > 1).all()
    assert (found.p_value_P < 1e-3).all()


def test_items_that_only_meet_by_chance_make_hardly_any_pair() -> None:
    rng = np.random.default_rng(7)
    sets = [list(np.flatnonzero(rng.random(60) < 0.1)) or [0] for _ in range(3_000)]
    assert len(baskets.associations(counted(sets, 60)).first_P) <= 2


def test_nothing_comes_of_no_baskets() -> None:
    assert len(baskets.associations(baskets.none(3)).first_P) == 0
    assert len(baskets.associations(baskets.none(0)).first_P) == 0
