"""Simple forecasts of weekly series, and what a series looks like: what the network chooses among, and by what.

All are computed at every week at once: column t knows the weeks up to t and nothing after it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

YEAR = 52
"""Weeks. With more of them a series is also compared with itself a year ago."""

_RATES = (0.1, 0.25, 0.5)
_WINDOWS = (4, 8, 13)
_DAMPING = 0.85
_LEAST = 1e-9


class Views(NamedTuple):
    """The forecasts of each expert for the weeks after an origin, and features of each series, in units of `scale`."""

    forecasts_SxHxK: Float[np.ndarray, "S H K"]
    features_SxF: Float[np.ndarray, "S F"]
    scale_S: Float[np.ndarray, " S"]


def build(units_SxW: Float[np.ndarray, "S W"], parents_SxW: Float[np.ndarray, "S W"], horizon: int) -> Views:
    """Return what is known of each series at its last week. `parents` are the series that each one is a part of."""
    scale_S = np.maximum(_smoothed(units_SxW, 0.1), 0.02)
    own = units_SxW / scale_S[:, None]
    parent_scale_S = np.maximum(_smoothed(parents_SxW, 0.1), 0.02)
    parents = parents_SxW / parent_scale_S[:, None]
    flat = [np.zeros(len(own)), own[:, -1], _since_first(own)]
    flat += [own[:, -weeks:].mean(1) for weeks in _WINDOWS]
    flat += [_smoothed(own, rate) for rate in _RATES] + [np.median(own[:, -8:], axis=1)]
    steps = np.arange(1, horizon + 1)
    level_S, trend_S = _trend(own)
    damped_H = np.cumsum(_DAMPING**steps)
    trending = np.maximum(level_S[:, None] + trend_S[:, None] * damped_H, 0.0)
    parent_level_S, parent_trend_S = _trend(parents)
    growth = 1.0 + parent_trend_S[:, None] * damped_H / np.maximum(parent_level_S, 0.1)[:, None]
    following = _smoothed(own, 0.25)[:, None] * np.clip(growth, 0.3, 3.0)
    shapes = [np.repeat(column[:, None], horizon, axis=1) for column in flat]
    forecasts = np.stack([*shapes, trending, following, _year_ago(own, parents, horizon)], axis=2)
    return Views(np.minimum(forecasts, 20.0), _features(own, parents, units_SxW), scale_S)


def _smoothed(values_SxW: np.ndarray, rate: float) -> np.ndarray:
    """Return exponentially smoothed levels, which start as the mean of what is there."""
    weight_W = (1.0 - rate) ** np.arange(values_SxW.shape[1] - 1, -1, -1)
    known_SxW = np.cumsum(values_SxW > 0, axis=1) > 0
    weight_SxW = np.where(known_SxW, weight_W, 0.0)
    return np.asarray((values_SxW * weight_SxW).sum(1) / np.maximum(weight_SxW.sum(1), _LEAST))


def _since_first(values_SxW: np.ndarray) -> np.ndarray:
    known_SxW = np.cumsum(values_SxW > 0, axis=1) > 0
    return np.asarray(values_SxW.sum(1) / np.maximum(known_SxW.sum(1), 1))


def _trend(values_SxW: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return level and weekly trend: how a fast mean differs from a slow one, by how much older the slow one is."""
    fast, slow = _smoothed(values_SxW, 0.3), _smoothed(values_SxW, 0.1)
    return fast, (fast - slow) / (1.0 / 0.1 - 1.0 / 0.3)


def _year_ago(own: np.ndarray, parents: np.ndarray, horizon: int) -> np.ndarray:
    """Return the level, moved as the parent moved a year ago; the level alone where the year is not known."""
    level = np.repeat(_smoothed(own, 0.25)[:, None], horizon, axis=1)
    if own.shape[1] < YEAR + 4:
        return level
    then = own.shape[1] - YEAR
    before_S = np.maximum(parents[:, then - 4 : then].mean(1), 0.05)
    place_H = then + np.minimum(np.arange(horizon), YEAR - 1)
    return np.asarray(level * np.clip(parents[:, place_H] / before_S[:, None], 0.2, 5.0))


def _features(own: np.ndarray, parents: np.ndarray, units_SxW: np.ndarray) -> np.ndarray:
    weeks = own.shape[1]
    sold = units_SxW > 0
    age = (np.cumsum(sold, axis=1) > 0).sum(1)
    since = np.where(sold.any(1), np.argmax(sold[:, ::-1], axis=1), weeks)
    recent = own[:, -13:]
    columns = [
        np.log1p(_smoothed(units_SxW, 0.1)),
        sold.sum(1) / np.maximum(age, 1),
        sold[:, -8:].mean(1),
        np.log1p(age) / 3,
        np.log1p(since),
        recent.std(1),
        np.log(recent.max(1) + 0.1),
        np.log((own[:, -4:].mean(1) + 0.1) / (recent.mean(1) + 0.1)),
        np.log((own[:, -1] + 0.1) / (recent.mean(1) + 0.1)),
        np.log((parents[:, -4:].mean(1) + 0.1) / (parents[:, -13:].mean(1) + 0.1)),
        np.log((parents[:, -1] + 0.1) / (parents[:, -4:].mean(1) + 0.1)),
    ]
    return np.clip(np.stack(columns, axis=1), -5, 10)
