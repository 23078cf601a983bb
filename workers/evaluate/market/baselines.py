"""What forecasts are compared with: seasonal-naive, AutoETS and Theta of statsforecast, and LightGBM.

The first three see each series alone, from its first sale on. LightGBM learns from the series of all levels at once, at
the same origins as our model, in each series' own scale.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from model.errors import DataError
from model.market.forecast import experts
from model.market.forecast.hierarchy import Hierarchy

SEASONAL_NAIVE, AUTO_ETS, THETA, LIGHTGBM = "seasonal-naive", "AutoETS", "Theta", "LightGBM"

YEAR, MONTH = 52, 4
"""Weeks. The season is a year if the history has one, else a month."""

_LAGS = 12
_LEAST_HISTORY = 6
_MOST_ORIGINS = 26
_MOST_ROWS = 600_000
_LEAST_SERIES = 4
_TREES: dict[str, Any] = {
    "n_estimators": 200,
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_child_samples": 40,
    "colsample_bytree": 0.8,
    "objective": "tweedie",
    "verbose": -1,
    "n_jobs": 2,
    "deterministic": True,
}


def alone(name: str, history_SxW: np.ndarray, horizon: int) -> np.ndarray:
    """Return forecasts of shape SxH of a model that sees one series at a time.

    Raises DataError if statsforecast is not installed.
    """
    model = _model(name, history_SxW.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.stack([_one(model, row, horizon) for row in history_SxW])


def boosted(tree: Hierarchy, history_NxW: np.ndarray, horizon: int, *, seed: int) -> np.ndarray:
    """Return LightGBM's forecasts of the series of all levels, of shape NxH."""
    import lightgbm

    last = history_NxW.shape[1]
    origins = range(max(_LEAST_HISTORY, last - horizon + 1 - _MOST_ORIGINS), last - horizon + 1)
    level_N = tree.level_N()
    parts = [_rows(history_NxW[:, :origin], level_N, horizon) for origin in origins]
    X = np.concatenate([table for table, _ in parts])
    scale_B = np.concatenate([np.repeat(scale_N, horizon) for _, scale_N in parts])
    units_B = np.concatenate([history_NxW[:, origin : origin + horizon].ravel() for origin in origins])
    kept = np.arange(len(X))
    if len(X) > _MOST_ROWS:
        kept = np.random.default_rng(seed).choice(len(X), _MOST_ROWS, replace=False)
    model: Any = lightgbm.LGBMRegressor(random_state=seed, **_TREES)
    model.fit(X[kept], units_B[kept] / scale_B[kept], sample_weight=np.sqrt(scale_B[kept]))
    table, scale_N = _rows(history_NxW, level_N, horizon)
    ratio_NxH = np.asarray(model.predict(table)).reshape(-1, horizon)
    return np.asarray(ratio_NxH * scale_N[:, None])


def _model(name: str, weeks: int) -> Callable[[np.ndarray, int], np.ndarray]:
    try:
        from statsforecast import models as library
    except ImportError as error:
        raise DataError("statsforecast is not installed: install the extra `evaluation`, or say --alone") from error
    models: Any = library
    season = YEAR if weeks >= YEAR else MONTH
    # Neither of the other two can learn a season of 52 weeks from a year or two.
    made = {
        SEASONAL_NAIVE: lambda: models.SeasonalNaive(season_length=season),
        AUTO_ETS: lambda: models.AutoETS(season_length=1),
        THETA: lambda: models.Theta(season_length=1),
    }[name]()
    least = season if name == SEASONAL_NAIVE else _LEAST_SERIES

    def predict(series: np.ndarray, horizon: int) -> np.ndarray:
        if len(series) < least:
            return np.full(horizon, series.mean())
        return np.asarray(made.forecast(y=series, h=horizon)["mean"])

    return predict


def _one(model: Callable[[np.ndarray, int], np.ndarray], row: np.ndarray, horizon: int) -> np.ndarray:
    if not row.any():
        return np.zeros(horizon)
    known = row[np.argmax(row > 0) :]
    try:
        found = model(known, horizon)
    except Exception:  # noqa: BLE001  # statsforecast raises its own for series that it can't fit; it names no class
        found = np.full(horizon, known.mean())
    return np.maximum(np.where(np.isfinite(found), found, known.mean()), 0.0)


def _rows(history_NxW: np.ndarray, level_N: np.ndarray, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a row for each series and week ahead, and the scale of each series."""
    scale_N = np.maximum(history_NxW[:, -13:].mean(1), 0.02)
    own = history_NxW / scale_N[:, None]
    lags = np.full((len(own), _LAGS), np.nan)
    count = min(_LAGS, own.shape[1])
    lags[:, :count] = own[:, ::-1][:, :count]
    sold = history_NxW > 0
    age_N = np.where(sold.any(1), own.shape[1] - np.argmax(sold, axis=1), 0)
    year = (
        own[:, -experts.YEAR :][:, :horizon] if own.shape[1] >= experts.YEAR else np.full((len(own), horizon), np.nan)
    )
    fixed = np.column_stack([
        lags, own[:, -4:].mean(1), own[:, -8:].mean(1), own.mean(1), own[:, -13:].std(1), sold[:, -13:].mean(1),
        np.log(scale_N), age_N, level_N,
    ])  # fmt: skip
    table = np.repeat(fixed, horizon, axis=0)
    step = np.tile(np.arange(1, horizon + 1), len(own))
    ago = np.full((len(own), horizon), np.nan)
    ago[:, : year.shape[1]] = year
    return np.column_stack([table, step, ago.ravel()]), scale_N
