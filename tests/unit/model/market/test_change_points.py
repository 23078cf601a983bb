"""Change points: exact, found where they are, and seldom where there are none."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from model.market import change_points

LEAST = change_points.LEAST_WEEKS


def cost(values: np.ndarray, changes: tuple[int, ...], penalty: float) -> float:
    pieces = np.split(values, changes)
    return sum(float(((piece - piece.mean()) ** 2).sum()) for piece in pieces) + penalty * len(changes)


@given(arrays.arrays(float, st.integers(2 * LEAST, 14), elements=st.integers(0, 9).map(float)), st.integers(1, 40))
def test_no_other_segments_cost_less(values: np.ndarray, penalty: int) -> None:
    weeks = len(values)
    found = tuple(change_points.changes(change_points.segmented(values[None], np.array([float(penalty)]))[0]))
    possible = [
        places
        for count in range(weeks // LEAST)
        for places in itertools.combinations(range(LEAST, weeks - LEAST + 1), count)
        if all(later - before >= LEAST for before, later in itertools.pairwise((0, *places, weeks)))
    ]
    least = min(cost(values, places, penalty) for places in possible)
    assert np.isclose(cost(values, found, penalty), least)


def test_two_levels_are_found_with_the_week_between_them() -> None:
    rng = np.random.default_rng(3)
    units = np.stack([rng.poisson(20, 60), np.r_[rng.poisson(20, 40), rng.poisson(45, 20)]]).astype(float)
    starts = change_points.segments(units)
    assert change_points.changes(starts[0]) == []
    [change] = change_points.changes(starts[1])
    assert abs(change - 40) <= 1


def test_series_that_never_change_are_seldom_said_to() -> None:
    rng = np.random.default_rng(5)
    level = rng.gamma(2, 20, (500, 1))
    units = rng.negative_binomial(4, 4 / (4 + level), (500, 104)).astype(float)
    changed = [bool(change_points.changes(row)) for row in change_points.segments(units)]
    assert np.mean(changed) < 0.15


def test_a_short_series_and_one_of_zeros_have_one_level() -> None:
    assert change_points.changes(change_points.segments(np.ones((1, 5)))[0]) == []
    assert change_points.changes(change_points.segments(np.zeros((1, 50)))[0]) == []
    assert change_points.segments(np.zeros((0, 50))).shape == (0, 50)
