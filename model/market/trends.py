"""Trends: which series rise or fall over the last weeks, by how much, and how sure that is.

The slope is Sen's (1968): the median of the slopes between all pairs of weeks, so one week of a large order moves it
little. Its test is that of Mann (1945) and Kendall (1975), corrected for ties.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from model.market import testing

WEEKS = 26
"""The weeks by which a trend is judged: half a year."""
FALSE_DISCOVERIES = 0.1
"""The share of the series called rising or falling that may be so by chance."""

_LEAST_WEEKS = 6
_Z = 1.645


class Trends(NamedTuple):
    """Of each series: the change per week as a share of its level, with a 90 % interval; p-value; 1, 0 or -1."""

    slope_S: Float[np.ndarray, " S"]
    low_S: Float[np.ndarray, " S"]
    high_S: Float[np.ndarray, " S"]
    p_value_S: Float[np.ndarray, " S"]
    direction_S: Int[np.ndarray, " S"]


def of_series(units_SxW: Float[np.ndarray, "S W"]) -> Trends:
    """Return the trend of each series over its last `WEEKS` weeks. With fewer than six weeks nothing rises or falls."""
    recent = units_SxW[:, -WEEKS:]
    count, weeks = recent.shape
    if weeks < _LEAST_WEEKS or not count:
        return Trends(*np.zeros((3, count)), np.ones(count), np.zeros(count, int))
    early, late = np.triu_indices(weeks, 1)
    rises = recent[:, late] - recent[:, early]
    slopes = np.sort(rises / (late - early), axis=1)
    variance_S = _variance(recent)
    p_value_S = _p_values(np.sign(rises).sum(axis=1), variance_S)
    level_S = np.maximum(recent.mean(axis=1), 1e-9)
    low_S, high_S = _interval(slopes, variance_S)
    slope_S = np.median(slopes, axis=1)
    stands = testing.discoveries(p_value_S, FALSE_DISCOVERIES)
    direction_S = np.where(stands, np.sign(slope_S), 0).astype(int)
    return Trends(slope_S / level_S, low_S / level_S, high_S / level_S, p_value_S, direction_S)


def _variance(values_SxW: np.ndarray) -> np.ndarray:
    """The variance of Mann and Kendall's statistic if there is no trend."""
    weeks = values_SxW.shape[1]
    ties_S = np.array([_ties(row) for row in values_SxW])
    return (weeks * (weeks - 1) * (2 * weeks + 5) - ties_S) / 18


def _ties(values_W: np.ndarray) -> int:
    _, sizes = np.unique(values_W, return_counts=True)
    return int((sizes * (sizes - 1) * (2 * sizes + 5)).sum())


def _p_values(statistic_S: np.ndarray, variance_S: np.ndarray) -> np.ndarray:
    z_S = (np.abs(statistic_S) - 1).clip(0) / np.sqrt(variance_S).clip(1e-9)
    return np.where(variance_S > 0, 2 * stats.norm.sf(z_S), 1.0)


def _interval(slopes_SxP: np.ndarray, variance_S: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ranks of the pairs' slopes between which the slope lies (Sen, 1968)."""
    pairs = slopes_SxP.shape[1]
    reach_S = _Z * np.sqrt(variance_S)
    low_S = np.floor((pairs - reach_S) / 2).clip(0, pairs - 1).astype(int)
    high_S = np.ceil((pairs + reach_S) / 2).clip(0, pairs - 1).astype(int)
    rows = np.arange(len(slopes_SxP))
    return slopes_SxP[rows, low_S], slopes_SxP[rows, high_S]
