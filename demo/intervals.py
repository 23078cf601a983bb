"""Click rates of two groups, and whether they differ."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

Z_95 = 1.959964


@dataclass(frozen=True)
class Rate:
    """A rate with the half width of its 95% interval (nan if there is too little data)."""

    value: float
    margin: float
    shown: int
    clicked: int


@dataclass(frozen=True)
class Difference:
    """The first group's rate minus the second's, with its 95% interval."""

    value: float
    low: float
    high: float

    @property
    def is_significant(self) -> bool:
        """Whether the interval is entirely above or below zero."""
        return self.low > 0 or self.high < 0


def rate(counts: Iterable[tuple[int, int]]) -> Rate:
    """Return clicks per impression, from a pair (impressions, clicks) for every customer.

    The clicks of one customer are correlated, so the interval counts customers and not impressions: the linearised
    variance of a ratio with the customer as the cluster (Cochran, *Sampling Techniques*, 3rd ed., 6.4).
    """
    pairs = [(shown, clicked) for shown, clicked in counts if shown]
    shown, clicked = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    if not shown:
        return Rate(math.nan, math.nan, 0, 0)
    value, number = clicked / shown, len(pairs)
    if number < 2:
        return Rate(value, math.nan, shown, clicked)
    spread = sum((pair[1] - value * pair[0]) ** 2 for pair in pairs) * number / (number - 1)
    return Rate(value, Z_95 * math.sqrt(spread) / shown, shown, clicked)


def difference(first: Rate, second: Rate) -> Difference:
    """Return the difference of two groups' rates; its interval is nan if one of theirs is."""
    value, margin = first.value - second.value, math.hypot(first.margin, second.margin)
    return Difference(value, value - margin, value + margin)
