"""Votes: those for one item are added up in the order in which they were given, however they are sorted."""

import jax
import numpy as np
import pytest

from model.recommend import blend
from model.recommend.blend import RECENT, Votes
from model.recommend.transitions import NOTHING

WIDTH = 6
PLACES = RECENT * WIDTH
BITS = (PLACES - 1).bit_length()
# Where item and place are one number no more.
MANY = (NOTHING >> BITS) + 1
summed = jax.jit(blend.summed, static_argnums=1)


def given(items, *, rows=20, seed=0):
    """Votes of ten events for six different items each, some for none; every row names many items several times."""
    random = np.random.default_rng(seed)
    chosen = random.choice(items, min(items, 15), replace=False) if items < 1000 else random.integers(0, items, 15)
    items_BxRxW = np.stack(
        [[random.permutation(np.unique(chosen))[:WIDTH] for _ in range(RECENT)] for _ in range(rows)]
    ).astype(np.int32)
    values_BxRxW = (random.random(items_BxRxW.shape) * 10.0 ** random.integers(-3, 4, items_BxRxW.shape)).astype(
        np.float32
    )
    nothing_BxRxW = random.random(items_BxRxW.shape) < 0.2
    nothing_BxRxW[0] = True  # who has no history
    items_BxRxW[nothing_BxRxW], values_BxRxW[nothing_BxRxW] = NOTHING, 0.0
    return Votes(items_BxRxW.reshape(rows, -1), values_BxRxW.reshape(rows, -1))


def by_hand(votes):
    """Each row's sums by item, in single precision, in the order of the votes."""
    rows = []
    for items, values in zip(*map(np.asarray, votes), strict=True):
        sums = {}
        for item, value in zip(items.tolist(), values, strict=True):
            if item != NOTHING:
                sums[item] = sums.get(item, np.float32(0.0)) + value
        rows.append(sums)
    return rows


@pytest.mark.parametrize("items", [16, 1000, MANY - 2, MANY - 1, MANY, 2**30])
def test_each_item_has_the_sum_of_its_votes_once(items):
    votes = given(items)
    assert ((items + 1) << BITS > NOTHING) == (items >= MANY - 1), "both ways of sorting are tested"
    found = summed(votes, items)
    for row, sums in enumerate(by_hand(votes)):
        named, values = np.asarray(found.items_BxM[row]), np.asarray(found.values_BxM[row])
        assert (np.diff(named.astype(np.int64)) >= 0).all()
        assert set(named.tolist()) - {NOTHING} == set(sums)
        first = np.concatenate([[True], named[1:] != named[:-1]])
        assert not values[~first].any()
        assert not values[named == NOTHING].any()
        # Bit for bit: a sum in another order would be another one.
        assert {
            item: value for item, value in zip(named[first].tolist(), values[first], strict=True) if item != NOTHING
        } == sums


def test_both_ways_of_sorting_give_the_same_bits():
    votes = given(500, rows=200)
    for quick, other in zip(summed(votes, 500), summed(votes, 2**30), strict=True):
        np.testing.assert_array_equal(quick, other)


@pytest.mark.parametrize("items", [16, 1000, 2**30])
def test_the_votes_for_given_items(items):
    votes = given(items, seed=1)
    random = np.random.default_rng(2)
    named = np.unique(np.asarray(votes.items_BxM))
    asked_BxK = np.concatenate(
        [random.choice(named, (20, 30)), random.integers(0, items, (20, 5)), np.full((20, 1), NOTHING)], 1
    ).astype(np.int32)
    found = jax.jit(lambda votes, asked: blend.votes_at(blend.summed(votes, items), asked))(votes, asked_BxK)
    expected = [
        [sums.get(item, 0.0) for item in asked] for sums, asked in zip(by_hand(votes), asked_BxK.tolist(), strict=True)
    ]
    np.testing.assert_array_equal(found, np.array(expected, np.float32))


def test_where_nothing_follows_anything_there_are_no_votes():
    none = Votes(np.zeros((3, 0), np.int32), np.zeros((3, 0), np.float32))
    found = summed(none, 10)
    assert found.items_BxM.shape == (3, 0)
    asked = np.zeros((3, 4), np.int32)
    assert not np.asarray(blend.votes_at(found, asked)).any()
