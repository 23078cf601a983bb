"""Regret: what was earned less than by who knows the demand, and how it grows."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_BEGIN = 28
"""Days: before, the regret is of a few decisions, and says little of how it grows."""


def captured(
    earned_T: Float[np.ndarray, " T"], fixed_T: Float[np.ndarray, " T"], best_T: Float[np.ndarray, " T"]
) -> float:
    """Return the share of the gain over fixed prices that a policy has of the gain of who knows the demand."""
    return float((earned_T - fixed_T).sum() / (best_T - fixed_T).sum())


def cumulative(earned_T: Float[np.ndarray, " T"], best_T: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    """Return the regret so far, in days of the best policy's profit."""
    return np.cumsum(best_T - earned_T) / best_T.mean()


def growth(regret_T: Float[np.ndarray, " T"]) -> float:
    """Return the power of time that regret grows with: 0.5 is the square root, 1 is as fast as time itself.

    The least squares line of log regret on log time, from the 28th day on. NaN where there is no regret.
    """
    day_T = np.arange(1, len(regret_T) + 1)
    used_T = (day_T >= min(_BEGIN, len(regret_T) // 2)) & (regret_T > 0.0)
    if used_T.sum() < 2:
        return float("nan")
    return float(np.polyfit(np.log(day_T[used_T]), np.log(regret_T[used_T]), 1)[0])
