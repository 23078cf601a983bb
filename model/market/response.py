"""Price and promotion response: how sales differed between weeks at different prices. A description, no cause.

For each item, log units per week of its group's sales are regressed on log price. The slopes are shrunk towards
their group's, and those towards all groups', by how much they differ beyond their errors (DerSimonian and Laird, 1986;
Efron and Morris, 1975): an item with few prices says what its group says.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

PROMOTED = 0.9
"""A week is promoted when its price is at most this share of the usual one."""

_USUAL_WEEKS = 8
_LEAST_WEEKS = 8
_LEAST_MOVED = 3
_MOVE = 0.05
_LEAST_NOISE = 0.1
# How much elasticities differ: the standard deviation in Bijmolt, van Heerde and Pieters (2005), over 1,851 of them.
_MOST_BETWEEN = 2.2
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
    """Return the estimates drawn towards their group's mean, and that towards all groups', by their uncertainty."""
    known = np.flatnonzero(~np.isnan(raw.value_I))
    if len(known) < 2:
        return raw
    value, error = raw.value_I[known], raw.error_I[known]
    groups = np.unique(groups_I[known], return_inverse=True)[1]
    between = _between(value, error, groups)
    weight = 1 / (error**2 + between)
    total = np.bincount(groups, weight)
    means = Estimates(np.bincount(groups, weight * value) / total, np.sqrt(1 / total))
    if len(total) > 1:
        spread = _between(means.value_I, means.error_I, np.zeros(len(total), int))
        grand = np.average(means.value_I, weights=1 / (means.error_I**2 + spread))
        means = _drawn(means, Estimates(np.full(len(total), grand), np.zeros(len(total))), spread)
    found = _drawn(Estimates(value, error), Estimates(means.value_I[groups], means.error_I[groups]), between)
    values, errors = np.full((2, len(raw.value_I)), np.nan)
    values[known], errors[known] = found
    return Estimates(values, errors)


def _between(value: np.ndarray, error: np.ndarray, groups: np.ndarray) -> float:
    """The variance of the truth within groups: what the estimates differ beyond their errors."""
    weight = 1 / error**2
    total = np.bincount(groups, weight)
    mean = np.bincount(groups, weight * value) / total
    excess = (weight * (value - mean[groups]) ** 2).sum() - (len(value) - len(total))
    scale = (total - np.bincount(groups, weight**2) / total).sum()
    return float(np.clip(excess / scale, 0.0, _MOST_BETWEEN**2)) if scale > 0 else 0.0


def _drawn(raw: Estimates, prior: Estimates, between: float) -> Estimates:
    """Each estimate drawn to its prior mean: the more, the less it is known by itself."""
    kept = between / (between + raw.error_I**2)
    variance = kept * raw.error_I**2 + (1 - kept) ** 2 * prior.error_I**2
    return Estimates(kept * raw.value_I + (1 - kept) * prior.value_I, np.sqrt(variance))


def _relative(units_IxW: np.ndarray, groups_I: np.ndarray) -> np.ndarray:
    """Log units less the log of what the rest of the group sold, so that a season is no response."""
    _, places = np.unique(groups_I, return_inverse=True)
    totals = np.zeros((places.max(initial=-1) + 1, units_IxW.shape[1]))
    np.add.at(totals, places, units_IxW)
    return np.log(units_IxW + 0.5) - np.log(totals[places] - units_IxW + 0.5)


def _slopes(x_IxW: np.ndarray, y_IxW: np.ndarray, known_IxW: np.ndarray) -> Estimates:
    """Least squares of each row over its known weeks; NaN where x hardly moves, or weeks are few.

    Errors are those of MacKinnon and White (HC3, 1985), which do not trust a few weeks that lie far from the others.
    """
    weeks = known_IxW.sum(axis=1)
    can = (weeks >= _LEAST_WEEKS) & (_moved(x_IxW, known_IxW) >= _LEAST_MOVED)
    x, y = (_centred(values, known_IxW, weeks)[can] for values in (x_IxW, y_IxW))
    spread = (x**2).sum(axis=1)
    value, error = np.full((2, len(x_IxW)), np.nan)
    value[can] = (x * y).sum(axis=1) / spread
    rest = (y - value[can, None] * x) * known_IxW[can]
    # No noise is smaller than a tenth: a row that fits its few weeks by chance must not weigh everything.
    rest = np.maximum(rest**2, _LEAST_NOISE**2)
    error[can] = np.sqrt((x**2 * rest / _free(x, spread, weeks[can]) ** 2).sum(axis=1)) / spread
    return Estimates(value, error)


def _moved(x_IxW: np.ndarray, known_IxW: np.ndarray) -> np.ndarray:
    """The number of weeks in which x is clearly not what it mostly is."""
    usual = np.array(
        [np.median(row[known]) if known.any() else 0.0 for row, known in zip(x_IxW, known_IxW, strict=True)]
    )
    return ((np.abs(x_IxW - usual[:, None]) > _MOVE) & known_IxW).sum(axis=1)


def _free(x: np.ndarray, spread: np.ndarray, weeks: np.ndarray) -> np.ndarray:
    """How freely each week lies off the line: a week with a price of its own pulls the line through itself."""
    return np.maximum(1 - 1 / weeks[:, None] - x**2 / spread[:, None], 0.05)


def _centred(values_IxW: np.ndarray, known_IxW: np.ndarray, weeks_I: np.ndarray) -> np.ndarray:
    mean = (values_IxW * known_IxW).sum(axis=1) / np.maximum(weeks_I, 1)
    return (values_IxW - mean[:, None]) * known_IxW
