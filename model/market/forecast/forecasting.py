"""Forecasts of weekly units of items, their categories and the total, which add up, with intervals.

Simple forecasts are weighed by a network that all series share. Everything is chosen at origins before the last week:
one network learns from the earlier origins and says at the later ones how much each level's own forecast should count
and how wide intervals have to be; another learns from all of them and makes the forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from model.errors import DataError
from model.market.forecast import experts, gate, hierarchy, intervals
from model.market.forecast.gate import Examples, Params
from model.market.forecast.hierarchy import Hierarchy
from model.market.forecast.intervals import Bands

LEAST_HISTORY = 6
"""Weeks that an origin has to look back on."""

_MOST_ORIGINS = 26
_MOST_ROWS = 400_000
_MEMBERS = 3
_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_LEVELS = 3


class Forecast(NamedTuple):
    """Units expected in each of the weeks after the last one, and intervals that hold 80 % and 95 %."""

    mean_SxH: Float[np.ndarray, "S H"]
    low80_SxH: Float[np.ndarray, "S H"]
    high80_SxH: Float[np.ndarray, "S H"]
    low95_SxH: Float[np.ndarray, "S H"]
    high95_SxH: Float[np.ndarray, "S H"]


class Levels(NamedTuple):
    """Forecasts of items, of categories (in the order of their sorted names) and of the total."""

    item: Forecast
    category: Forecast
    total: Forecast


@dataclass(frozen=True)
class _Rows:
    """All series at one origin, as the network sees them."""

    views: experts.Views
    features_NxF: np.ndarray

    def forecasts(self, members: list[Params]) -> np.ndarray:
        parts = [gate.predicted(one, *_single(self.views.forecasts_SxHxK, self.features_NxF)) for one in members]
        return np.asarray(np.mean(parts, axis=0), np.float64) * self.views.scale_S[:, None]


def forecast(
    units_SxW: Float[np.ndarray, "S W"], weeks: int, *, seed: int = 0, groups_S: np.ndarray | None = None
) -> Forecast:
    """Return forecasts of items for the `weeks` after the last of `units`; `groups` are their categories.

    Raises DataError for too few weeks.
    """
    return levels(units_SxW, weeks, seed=seed, groups_S=groups_S).item


def levels(
    units_SxW: Float[np.ndarray, "S W"], weeks: int, *, seed: int = 0, groups_S: np.ndarray | None = None
) -> Levels:
    """Return forecasts of all levels. Raises DataError for too few weeks."""
    units_SxW = _checked(units_SxW, weeks)
    tree = hierarchy.build(groups_S, len(units_SxW))
    stack_NxW = tree.stacked(units_SxW)
    last = stack_NxW.shape[1]
    origins = list(range(last - weeks, LEAST_HISTORY - 1, -1))[:_MOST_ORIGINS][::-1]
    rows = {origin: _rows(tree, stack_NxW[:, :origin], weeks) for origin in origins}
    actual = {origin: stack_NxW[:, origin : origin + weeks] for origin in origins}
    earlier, later = _split(origins, weeks)
    judge = _fitted(tree, rows, actual, earlier, seed)
    tried = {origin: rows[origin].forecasts(judge) for origin in later}
    weights = _weights(tree, tried, actual)
    bands = _bands(tree, tried, actual, weights)
    members = _fitted(tree, rows, actual, origins, seed)
    ahead = _rows(tree, stack_NxW, weeks).forecasts(members)
    return _levels(tree, tree.coherent(ahead, weights), bands)


def least_weeks(weeks: int) -> int:
    """Return how many weeks a forecast of so many weeks needs."""
    return weeks + LEAST_HISTORY


def _checked(units_SxW: np.ndarray, weeks: int) -> np.ndarray:
    units_SxW = np.asarray(units_SxW, np.float64)
    if units_SxW.ndim != 2 or not len(units_SxW):
        raise DataError("there is no series to forecast")
    if weeks < 1:
        raise DataError(f"at least 1 week has to be forecast, not {weeks}")
    if units_SxW.shape[1] < least_weeks(weeks):
        raise DataError(
            f"{units_SxW.shape[1]} whole weeks are known; {least_weeks(weeks)} are needed to forecast {weeks}"
        )
    if not (np.isfinite(units_SxW) & (units_SxW >= 0)).all():
        raise DataError("units have to be numbers from 0 on")
    return units_SxW


def _split(origins: list[int], weeks: int) -> tuple[list[int], list[int]]:
    """Return origins to learn from whose weeks ahead end before the others begin, as far as there are enough."""
    later = origins[-max(1, min(weeks, len(origins) // 2)) :]
    earlier = [origin for origin in origins if origin + weeks <= later[0] + weeks // 2 and origin < later[0]]
    return earlier or origins, later


def _rows(tree: Hierarchy, stack_NxW: np.ndarray, weeks: int) -> _Rows:
    views = experts.build(stack_NxW, tree.parents(stack_NxW), weeks)
    is_item_N = (tree.level_N() == hierarchy.ITEM).astype(float)
    return _Rows(views, np.concatenate([views.features_SxF, is_item_N[:, None]], axis=1))


def _fitted(
    tree: Hierarchy, rows: dict[int, _Rows], actual: dict[int, np.ndarray], origins: list[int], seed: int
) -> list[Params]:
    examples = _sampled([_examples(tree, rows[origin], actual[origin]) for origin in origins], seed)
    return [gate.fit(examples, seed=seed * 100 + n) for n in range(_MEMBERS)]


def _examples(tree: Hierarchy, rows: _Rows, actual_NxH: np.ndarray) -> Examples:
    """Return rows whose weight is what the series sells, a level at a time: each level counts the same."""
    scale_N, level_N = rows.views.scale_S, tree.level_N()
    sums = np.maximum(np.bincount(level_N, scale_N, _LEVELS), 1e-9)
    weight_N = scale_N / sums[level_N]
    actual = np.minimum(actual_NxH / scale_N[:, None], 60.0)
    return Examples(*_single(rows.views.forecasts_SxHxK, rows.features_NxF, actual, weight_N))


def _sampled(parts: list[Examples], seed: int) -> Examples:
    whole = Examples(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    most = max(_MOST_ROWS // whole.actual_BxH.shape[1], 1)
    if len(whole.weight_B) <= most:
        return whole
    drawn = np.random.default_rng(seed).choice(len(whole.weight_B), most, replace=False)
    # The last rows of each origin, its categories and total, are few and always stay.
    heavy = np.flatnonzero(whole.features_BxF[:, -1] == 0)
    kept = np.union1d(drawn, heavy)
    return Examples(*(column[kept] for column in whole))


def _weights(tree: Hierarchy, tried: dict[int, np.ndarray], actual: dict[int, np.ndarray]) -> tuple[float, float]:
    def loss(weights: tuple[float, float]) -> float:
        return sum(_error(tree, tree.coherent(tried[origin], weights), actual[origin]) for origin in tried)

    return min(((first, second) for first in _WEIGHTS for second in _WEIGHTS), key=loss)


def _error(tree: Hierarchy, mean_NxH: np.ndarray, actual_NxH: np.ndarray) -> float:
    error_N = np.abs(mean_NxH - actual_NxH).sum(1)
    return float(np.bincount(tree.level_N(), error_N, _LEVELS).sum() / max(actual_NxH[-1].sum(), 1e-9))


def _bands(
    tree: Hierarchy, tried: dict[int, np.ndarray], actual: dict[int, np.ndarray], weights: tuple[float, float]
) -> list[Bands]:
    level_N = tree.level_N()
    mean = {origin: tree.coherent(found, weights) for origin, found in tried.items()}
    return [
        intervals.fit(
            np.concatenate([mean[origin][level_N == level] for origin in tried]),
            np.concatenate([actual[origin][level_N == level] for origin in tried]),
        )
        for level in range(_LEVELS)
    ]


def _levels(tree: Hierarchy, mean_NxH: np.ndarray, bands: list[Bands]) -> Levels:
    level_N = tree.level_N()
    found = []
    for level, band in enumerate(bands):
        mean = mean_NxH[level_N == level]
        low80, high80 = band.interval(mean, 0)
        low95, high95 = band.interval(mean, 1)
        found.append(Forecast(mean, low80, high80, np.minimum(low95, low80), np.maximum(high95, high80)))
    return Levels(*found)


def _single(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(array.astype(np.float32) for array in arrays)
