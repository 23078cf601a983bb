"""Change points: the weeks from which on a series has another level.

The segments are those with the least squared error plus a penalty for each change: optimal partitioning (Jackson et
al., An algorithm for optimal partitioning of data on an interval, 2005), exact, for all series at once. PELT (Killick,
Fearnhead and Eckley, 2012) finds the same segments; its pruning pays for series much longer than two years of weeks.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

LEAST_WEEKS = 4
"""The shortest segment."""

# BIC asks for 2 log W per change. The noise is estimated, and weeks that follow each other are alike: hence more.
_PENALTY = 4.0
# The standard deviation of a normal variable is this often its median absolute deviation.
_NORMAL_MAD = 1.4826


def stabilised(units_SxW: Float[np.ndarray, "S W"]) -> Float[np.ndarray, "S W"]:
    """Return counts on a scale where Poisson noise has variance 1 (Anscombe, 1948)."""
    return 2 * np.sqrt(units_SxW + 3 / 8)


def noise(values_SxW: Float[np.ndarray, "S W"]) -> Float[np.ndarray, " S"]:
    """Return the standard deviation of each series' noise, by the differences of neighbours, which no level moves."""
    steps = np.diff(values_SxW, axis=1)
    middle = np.median(steps, axis=1, keepdims=True)
    return _NORMAL_MAD * np.median(np.abs(steps - middle), axis=1) / np.sqrt(2)


def segments(units_SxW: Float[np.ndarray, "S W"]) -> Int[np.ndarray, "S W"]:
    """Return the segments of series of counts, as `segmented` does."""
    values = stabilised(units_SxW)
    if values.shape[1] < 2 * LEAST_WEEKS:
        return np.zeros(values.shape, int)
    return segmented(values, _PENALTY * np.log(values.shape[1]) * np.maximum(noise(values), 1.0) ** 2)


def segmented(values_SxW: Float[np.ndarray, "S W"], penalty_S: Float[np.ndarray, " S"]) -> Int[np.ndarray, "S W"]:
    """Return, for each series and week, where the last segment begins if the series ends with that week.

    `changes` follows the starts back from the last week.
    """
    count, weeks = values_SxW.shape
    sums, squares = (_cumulated(values) for values in (values_SxW, values_SxW**2))
    best = np.full((count, weeks + 1), np.inf)
    best[:, 0] = -penalty_S
    starts = np.zeros((count, weeks), int)
    for end in range(LEAST_WEEKS, weeks + 1):
        begin = np.arange(end - LEAST_WEEKS + 1)
        length = end - begin
        error = squares[:, end, None] - squares[:, begin] - (sums[:, end, None] - sums[:, begin]) ** 2 / length
        cost = best[:, begin] + error + penalty_S[:, None]
        starts[:, end - 1] = cost.argmin(axis=1)
        best[:, end] = cost.min(axis=1)
    return starts


def changes(starts_W: Int[np.ndarray, " W"]) -> list[int]:
    """Return every week at which a new level begins, of one series of `segmented`."""
    found, end = [], len(starts_W)
    while (start := int(starts_W[end - 1])) > 0:
        found.append(start)
        end = start
    return found[::-1]


def _cumulated(values_SxW: np.ndarray) -> np.ndarray:
    return np.pad(np.cumsum(values_SxW, axis=1), ((0, 0), (1, 0)))
