"""Tests of many things at once, and intervals of shares."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float


def discoveries(p_values_N: Float[np.ndarray, " N"], rate: float) -> Bool[np.ndarray, " N"]:
    """Return which findings stand; about `rate` of them are by chance (Benjamini and Hochberg, 1995)."""
    count = len(p_values_N)
    if not count:
        return np.zeros(0, bool)
    ordered = np.sort(p_values_N)
    passed = np.flatnonzero(ordered <= rate * np.arange(1, count + 1) / count)
    return p_values_N <= ordered[passed[-1]] if len(passed) else np.zeros(count, bool)


def share_interval(
    successes_N: Float[np.ndarray, " N"], trials_N: Float[np.ndarray, " N"], z: float = 1.96
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Return the lower and upper end of each share's interval (Wilson, 1927); trials are at least 1."""
    share = successes_N / trials_N
    middle = (share + z**2 / (2 * trials_N)) / (1 + z**2 / trials_N)
    radius = z / (1 + z**2 / trials_N) * np.sqrt(share * (1 - share) / trials_N + z**2 / (4 * trials_N**2))
    return np.clip(middle - radius, 0, 1), np.clip(middle + radius, 0, 1)
