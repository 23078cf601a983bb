"""Emerging queries: what is searched for more often than before."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy import stats


def growth(
    recent_Q: Int[np.ndarray, " Q"], before_Q: Int[np.ndarray, " Q"], *, share: float
) -> tuple[Float[np.ndarray, " Q"], Float[np.ndarray, " Q"]]:
    """Return how many times as often each query came lately as before, and the p-value of it having grown.

    `share` is the recent time's share of the whole. Given all searches of a query, the recent ones are binomial if its
    rate never changed (Przyborowski and Wilenski, 1940). The ratio counts half a search more on both sides.
    """
    ratio = (recent_Q + 0.5) / (before_Q + 0.5) * (1 - share) / share
    return ratio, stats.binom.sf(recent_Q - 1, recent_Q + before_Q, share)
