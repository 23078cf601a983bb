"""Basket associations: pairs of items that are bought together more often than by chance.

Support, confidence and lift as in Agrawal, Imielinski and Swami (1993) and Brin et al. (1997). How often a pair occurs
by chance is taken as Poisson, which is never surer than the exact test for pairs above their expectation (Anderson and
Samuels, 1967). Of the pairs that are kept, about one in a hundred is chance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse, special, stats

from model.market import testing

FALSE_DISCOVERIES = 0.01
LEAST_BASKETS = 5
"""Fewest baskets with both items of a pair."""


class Counts(NamedTuple):
    """The number of baskets, of those with each item, and of those with each pair (the upper triangle, sparse)."""

    baskets: int
    with_item_I: Int[np.ndarray, " I"]
    with_pair_IxI: sparse.csr_array


class Associations(NamedTuple):
    """Pairs in both directions: `confidence` is the share of the first item's baskets that hold the second one.

    `lift_low` is the lower end of a 95 % interval of `lift`. The pairs with most baskets beyond chance come first.
    """

    first_P: Int[np.ndarray, " P"]
    second_P: Int[np.ndarray, " P"]
    baskets_P: Int[np.ndarray, " P"]
    support_P: Float[np.ndarray, " P"]
    confidence_P: Float[np.ndarray, " P"]
    lift_P: Float[np.ndarray, " P"]
    lift_low_P: Float[np.ndarray, " P"]
    p_value_P: Float[np.ndarray, " P"]


def none(items: int) -> Counts:
    """Return the counts before the first basket."""
    return Counts(0, np.zeros(items, np.int64), sparse.csr_array((items, items), dtype=np.int64))


def counted(counts: Counts, baskets_E: Int[np.ndarray, " E"], items_E: Int[np.ndarray, " E"]) -> Counts:
    """Return the counts with some more whole baskets. A line names its basket and an item by its number.

    A line with the number -1 is of an item that is not looked at; its basket counts. The work and the memory grow with
    the square of the items of a basket: leave very large ones out.
    """
    if not len(baskets_E):
        return counts
    _, rows = np.unique(baskets_E, return_inverse=True)
    shape = (int(rows.max()) + 1, len(counts.with_item_I))
    known = items_E >= 0
    held = sparse.csr_array((np.ones(known.sum(), np.int64), (rows[known], items_E[known])), shape=shape)
    held.data[:] = 1  # an item that stands on two lines of a basket is in it once
    together = sparse.csr_array(sparse.triu(held.T @ held, k=1))
    with_item_I = np.asarray(held.sum(axis=0)).ravel()
    return Counts(counts.baskets + shape[0], counts.with_item_I + with_item_I, counts.with_pair_IxI + together)


def associations(counts: Counts) -> Associations:
    """Return the pairs that stand, each in both directions."""
    pairs = sparse.coo_array(counts.with_pair_IxI)
    enough = pairs.data >= LEAST_BASKETS
    first, second, both = pairs.row[enough], pairs.col[enough], pairs.data[enough]
    with_first, with_second = counts.with_item_I[first], counts.with_item_I[second]
    chance = with_first * with_second / max(counts.baskets, 1)
    p_values = special.gammainc(both, chance)
    kept = testing.discoveries(p_values, FALSE_DISCOVERIES) & (both >= chance + 1)
    first, second, both, p_values = (column[kept] for column in (first, second, both, p_values))
    ways = np.r_[first, second], np.r_[second, first], np.r_[both, both], np.r_[p_values, p_values]
    return _ordered(_both_ways(counts, *ways))


def _both_ways(
    counts: Counts, first: np.ndarray, second: np.ndarray, both: np.ndarray, p_values: np.ndarray
) -> Associations:
    with_first, usual = counts.with_item_I[first], counts.with_item_I[second] / max(counts.baskets, 1)
    confidence = both / with_first
    # Clopper and Pearson's lower end of the confidence.
    least = stats.beta.ppf(0.025, both, with_first - both + 1)
    support = both / max(counts.baskets, 1)
    return Associations(first, second, both, support, confidence, confidence / usual, least / usual, p_values)


def _ordered(found: Associations) -> Associations:
    beyond = found.baskets_P * (1 - 1 / found.lift_P)
    order = np.lexsort((found.second_P, found.first_P, -found.confidence_P, -beyond))
    return Associations(*(column[order] for column in found))
