"""Prediction intervals from how far forecasts were off at origins that they had not learned from.

Errors are compared among forecasts of the same level and about the same size, as quotients of what was sold and what
was forecast. Counts of rare items are mostly 0, and any interval that holds 0 holds more of them than it says: the
quantiles are therefore moved until the share of all that they hold is the one that is wanted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

WANTED = (0.8, 0.95)
_BINS = 12
_LEAST_IN_BIN = 60
_SOFT = 0.05


class Bands(NamedTuple):
    """Quotients by size: `edges` of the forecasts, and the sorted quotients between them; and the tails to cut."""

    edges: np.ndarray
    quotients: tuple[np.ndarray, ...]
    tails: tuple[float, ...]

    def interval(self, mean_SxH: Float[np.ndarray, "S H"], wanted: int) -> tuple[np.ndarray, np.ndarray]:
        """Return low and high of the interval `WANTED[wanted]`."""
        return _interval(mean_SxH, self.edges, self.quotients, self.tails[wanted])


def fit(mean_BxH: Float[np.ndarray, "B H"], actual_BxH: Float[np.ndarray, "B H"]) -> Bands:
    """Return the bands of forecasts of one level and what was sold then."""
    mean, actual = mean_BxH.ravel(), actual_BxH.ravel()
    bins = int(np.clip(len(mean) // _LEAST_IN_BIN, 1, _BINS))
    edges = np.quantile(mean, np.linspace(0, 1, bins + 1)[1:-1])
    place = np.searchsorted(edges, mean, side="right")
    quotients = tuple(np.sort(_quotient(mean, actual)[place == n]) for n in range(bins))
    quotients = tuple(one if len(one) else np.ones(1) for one in quotients)
    tails = tuple(_tail(mean, actual, edges, quotients, share) for share in WANTED)
    return Bands(edges, quotients, tails)


def _quotient(mean: np.ndarray, actual: np.ndarray) -> np.ndarray:
    return (actual + _SOFT) / (mean + _SOFT)


def _interval(
    mean: np.ndarray, edges: np.ndarray, quotients: tuple[np.ndarray, ...], tail: float
) -> tuple[np.ndarray, np.ndarray]:
    low_N = np.array([np.quantile(one, tail, method="lower") for one in quotients])
    high_N = np.array([np.quantile(one, 1.0 - tail, method="higher") for one in quotients])
    place = np.searchsorted(edges, mean, side="right")
    low = low_N[place] * (mean + _SOFT) - _SOFT
    high = high_N[place] * (mean + _SOFT) - _SOFT
    return np.clip(low, 0.0, mean), np.maximum(high, mean)


def _tail(
    mean: np.ndarray, actual: np.ndarray, edges: np.ndarray, quotients: tuple[np.ndarray, ...], share: float
) -> float:
    """Return the largest tail whose intervals hold the share of what was sold."""
    small, large = 0.0, 0.49
    for _ in range(20):
        tail = (small + large) / 2
        low, high = _interval(mean, edges, quotients, tail)
        held = np.mean((low <= actual) & (actual <= high))
        small, large = (tail, large) if held >= share else (small, tail)
    return small
