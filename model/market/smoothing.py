"""Exponential smoothing: the level of each series, carried on, with intervals by how far off it was (Brown, 1956).

It works on square roots, on which counts vary about as much at every level; each series has its own smoothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

_RATES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)
_Z80, _Z95 = 1.2816, 1.96
# The first weeks only set the level.
_WARM = 4
# Times the median error.
_OUTLYING = 5.0


class Forecast(NamedTuple):
    """The expected units of each week to come, and the ends of 80 % and 95 % intervals."""

    mean_SxH: Float[np.ndarray, "S H"]
    low80_SxH: Float[np.ndarray, "S H"]
    high80_SxH: Float[np.ndarray, "S H"]
    low95_SxH: Float[np.ndarray, "S H"]
    high95_SxH: Float[np.ndarray, "S H"]


def forecast(units_SxW: Float[np.ndarray, "S W"], weeks: int) -> Forecast:
    """Return the forecast of so many weeks after the last one. A past has to be longer than `weeks` + 4."""
    roots = np.sqrt(np.maximum(units_SxW, 0))
    levels = np.stack([_levels(roots, rate) for rate in _RATES])
    errors = ((roots[:, _WARM:] - levels[:, :, _WARM - 1 : -1]) ** 2).sum(axis=2)
    chosen = np.take_along_axis(levels, errors.argmin(axis=0)[None, :, None], axis=0)[0]
    spread = np.stack([_spread(roots, chosen, ahead) for ahead in range(1, weeks + 1)], axis=1)
    level = np.repeat(chosen[:, -1:], weeks, axis=1)
    ends = [np.maximum(level + z * spread, 0) ** 2 for z in (-_Z80, _Z80, -_Z95, _Z95)]
    return Forecast(level**2 + spread**2, *ends)


def _levels(roots_SxW: np.ndarray, rate: float) -> np.ndarray:
    """The level after each week."""
    levels = np.empty_like(roots_SxW)
    level = roots_SxW[:, :_WARM].mean(axis=1)
    for week in range(roots_SxW.shape[1]):
        level = level + rate * (roots_SxW[:, week] - level)
        levels[:, week] = level
    return levels


def _spread(roots_SxW: np.ndarray, levels_SxW: np.ndarray, ahead: int) -> np.ndarray:
    """The root mean square of how far off the level was so many weeks later."""
    errors = np.abs(roots_SxW[:, _WARM + ahead - 1 :] - levels_SxW[:, _WARM - 1 : -ahead])
    usual = np.median(errors, axis=1, keepdims=True)
    # One huge order is no reason to expect another.
    capped = np.minimum(errors, np.where(usual > 0, _OUTLYING * usual, np.inf))
    return np.sqrt((capped**2).mean(axis=1))
