"""Price and promotion response: how sales differed between weeks at different prices. A description, no cause.

For each item, log units per week of its group's sales are regressed on log price. The slopes are shrunk towards their
group's by how much slopes differ within it (DerSimonian and Laird, 1986; Efron and Morris, 1975), so an item with few
prices says what its group says.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

PROMOTED = 0.9
"""A week is promoted when its price is at most this share of the usual one."""

_USUAL_WEEKS = 8
_LEAST_WEEKS = 8
_Z = 1.645


class Estimates(NamedTuple):
    """Values with their standard errors; NaN where nothing can be said."""

    value_I: Float[np.ndarray, " I"]
    error_I: Float[np.ndarray, " I"]

    @property
    def low_I(self) -> np.ndarray:
        """The lower end of a 90 % interval."""
        return self.value_I - _Z * self.error_I

    @property
    def high_I(self) -> np.ndarray:
        """The upper end of a 90 % interval."""
        return self.value_I + _Z * self.error_I


def carried(prices_IxW: Float[np.ndarray, "I W"]) -> Float[np.ndarray, "I W"]:
    """Return the prices with those of the week before where nothing sold (NaN); NaN before the first sale."""
    latest = np.maximum.accumulate(np.where(np.isnan(prices_IxW), 0, np.arange(prices_IxW.shape[1])), axis=1)
    return np.take_along_axis(prices_IxW, latest, axis=1)


def promoted(prices_IxW: Float[np.ndarray, "I W"]) -> np.ndarray:
    """Return in which weeks the price was well below the usual one: the median of the eight weeks before."""
    padded = np.concatenate([np.full((len(prices_IxW), _USUAL_WEEKS), np.nan), prices_IxW], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _USUAL_WEEKS, axis=1)[:, : prices_IxW.shape[1]]
    known = ~np.isnan(windows).all(axis=2)
    usual = np.full(prices_IxW.shape, np.nan)
    usual[known] = np.nanmedian(windows[known], axis=1)
    with np.errstate(invalid="ignore"):
        return prices_IxW <= PROMOTED * usual


def elasticities(
    units_IxW: Float[np.ndarray, "I W"], prices_IxW: Float[np.ndarray, "I W"], groups_I: Int[np.ndarray, " I"]
) -> Estimates:
    """Return by how many per cent more units sold in weeks with a price higher by one per cent, shrunk by group."""
    known = ~np.isnan(prices_IxW)
    return shrunk(_slopes(np.log(np.where(known, prices_IxW, 1.0)), _relative(units_IxW, groups_I), known), groups_I)


def uplifts(
    units_IxW: Float[np.ndarray, "I W"], prices_IxW: Float[np.ndarray, "I W"], groups_I: Int[np.ndarray, " I"]
) -> Estimates:
    """Return the logarithm of how many times as many units sold in promoted weeks as in others, shrunk by group."""
    known = ~np.isnan(prices_IxW)
    return shrunk(_slopes(promoted(prices_IxW).astype(float), _relative(units_IxW, groups_I), known), groups_I)


def shrunk(raw: Estimates, groups_I: Int[np.ndarray, " I"]) -> Estimates:
    """Return the estimates drawn towards the mean of their group, each by its own uncertainty."""
    value, error = raw.value_I.copy(), raw.error_I.copy()
    for group in np.unique(groups_I):
        members = np.flatnonzero((groups_I == group) & ~np.isnan(raw.value_I))
        if len(members) > 1:
            value[members], error[members] = _drawn(raw.value_I[members], raw.error_I[members])
    return Estimates(value, error)


def _drawn(value: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    weight = 1 / error**2
    fixed = (weight * value).sum() / weight.sum()
    excess = (weight * (value - fixed) ** 2).sum() - (len(value) - 1)
    between = max(excess / (weight.sum() - (weight**2).sum() / weight.sum()), 0.0)
    total = 1 / (error**2 + between)
    mean = (total * value).sum() / total.sum()
    kept = between / (between + error**2)
    variance = kept * error**2 + (1 - kept) ** 2 / total.sum()
    return kept * value + (1 - kept) * mean, np.sqrt(variance)


def _relative(units_IxW: np.ndarray, groups_I: np.ndarray) -> np.ndarray:
    """Log units less the log of what the rest of the group sold, so that a season is no response."""
    _, places = np.unique(groups_I, return_inverse=True)
    totals = np.zeros((places.max(initial=-1) + 1, units_IxW.shape[1]))
    np.add.at(totals, places, units_IxW)
    return np.log(units_IxW + 0.5) - np.log(totals[places] - units_IxW + 0.5)


def _slopes(x_IxW: np.ndarray, y_IxW: np.ndarray, known_IxW: np.ndarray) -> Estimates:
    """Ordinary least squares of each row over its known weeks; NaN where x never moves, or weeks are few."""
    weeks = known_IxW.sum(axis=1)
    x, y = (_centred(values, known_IxW, weeks) for values in (x_IxW, y_IxW))
    spread = (x**2).sum(axis=1)
    can = (weeks >= _LEAST_WEEKS) & (spread > 1e-3)
    slope = np.full(len(x), np.nan)
    slope[can] = (x * y).sum(axis=1)[can] / spread[can]
    rest = (((y - np.nan_to_num(slope)[:, None] * x) ** 2) * known_IxW).sum(axis=1)
    error = np.full(len(x), np.nan)
    # A row that fits its few weeks by chance must not weigh everything: no noise is smaller than 0.1.
    error[can] = np.sqrt(np.maximum(rest[can] / (weeks[can] - 2), 0.01) / spread[can])
    return Estimates(slope, error)


def _centred(values_IxW: np.ndarray, known_IxW: np.ndarray, weeks_I: np.ndarray) -> np.ndarray:
    mean = (values_IxW * known_IxW).sum(axis=1) / np.maximum(weeks_I, 1)
    return (values_IxW - mean[:, None]) * known_IxW
