"""What the demand model is compared with: LightGBM, a log-log regression for each item, double machine learning.

All see the same rows as the model. None is told that a higher price sells less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np

from model.pricing.forecast.features import Rows
from model.pricing.forecast.panel import COUNT, Panel, filled

Model = Callable[[Rows, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Returns the units expected at horizon rows where the mask is True, and at prices 10 % higher."""

LIGHTGBM, LOG_LOG, DOUBLE = "LightGBM", "log-log by item", "double machine learning"

_RISE = float(np.log(1.1))
_TREES: dict[str, Any] = {
    "n_estimators": 300,
    "learning_rate": 0.06,
    "num_leaves": 63,
    "min_child_samples": 40,
    "colsample_bytree": 0.6,
}
_ALWAYS: dict[str, Any] = {"verbose": -1, "n_jobs": 2, "deterministic": True}
_RIDGE = 1.0


def fitted(panel: Panel, horizons: list[Rows], learnt: np.ndarray, *, seed: int) -> dict[str, Model]:
    """Return the models, trained on the cells of `learnt`, by name."""
    drawn = _drawn(horizons, learnt, seed)
    logs_B = np.concatenate([panel.log_units()[mask] for mask in drawn])
    return {
        LIGHTGBM: _trees(horizons, drawn, logs_B, seed),
        LOG_LOG: _log_log(panel, learnt),
        DOUBLE: _double(panel, horizons, drawn, logs_B, seed),
    }


def _drawn(horizons: list[Rows], learnt: np.ndarray, seed: int) -> list[np.ndarray]:
    """Return a mask for each horizon; each cell is in one of them."""
    horizon = np.random.default_rng(seed).integers(len(horizons), size=learnt.shape)
    return [learnt & (horizon == n) for n in range(len(horizons))]


def _table(rows: Rows, where: np.ndarray, *, price: bool = True, change: float = 0.0) -> np.ndarray:
    """Return context, level and item, and the own price with all that follows from it."""
    context = rows.context_SxIxWxF[where]
    columns = [context, rows.level_SxIxW[where][:, None], np.nonzero(where)[1][:, None]]
    if price:
        own_B = rows.price_SxIxW[where] + change
        before_B = context[:, rows.names.index("price 1 before")]
        reference_B = context[:, rows.names.index("reference")]
        columns.append(np.stack([own_B, own_B - before_B, own_B + reference_B], axis=1))
    return np.concatenate(columns, axis=1)


def _trees(horizons: list[Rows], drawn: list[np.ndarray], logs_B: np.ndarray, seed: int) -> Model:
    X = np.concatenate([_table(rows, mask) for rows, mask in zip(horizons, drawn, strict=True)])
    # The mean of what is spread as counts are; better here than squared or absolute errors of units.
    model = lightgbm.LGBMRegressor(objective="tweedie", random_state=seed, **_TREES, **_ALWAYS)
    model.fit(X, np.exp(logs_B) - COUNT)

    def predict(rows: Rows, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raised = model.predict(_table(rows, where, change=_RISE))
        return np.asarray(model.predict(_table(rows, where))), np.asarray(raised)

    return predict


@dataclass(frozen=True)
class _Line:
    """log units = level of store and item + coefficients . (log price, deal, feature, others' prices)."""

    level_SxI: np.ndarray
    slope_IxC: np.ndarray


def _log_log(panel: Panel, learnt: np.ndarray) -> Model:
    """A regression for each item: the textbook's way to an elasticity (held-out stores have the item's mean level)."""
    price = np.log(filled(panel.price_SxIxW))
    others = (price.sum(1, keepdims=True) - price) / max(price.shape[1] - 1, 1)
    columns = np.stack([price, np.nan_to_num(panel.deal_SxIxW), np.nan_to_num(panel.feature_SxIxW), others], axis=-1)
    logs = panel.log_units()
    stores, items, _ = logs.shape
    line = _Line(np.zeros((stores, items)), np.zeros((items, columns.shape[-1])))
    for n in range(items):
        where = learnt[:, n]
        if not where.any():
            continue
        store_B = np.nonzero(where)[0]
        X, y = columns[:, n][where], logs[:, n][where]
        X0, y0 = _less_mean(X, store_B, stores), _less_mean(y[:, None], store_B, stores)[:, 0]
        line.slope_IxC[n] = np.linalg.solve(X0.T @ X0 + _RIDGE * np.eye(X.shape[1]), X0.T @ y0)
        rest = y - X @ line.slope_IxC[n]
        count_S = np.bincount(store_B, minlength=stores)
        level_S = np.bincount(store_B, rest, minlength=stores) / np.maximum(count_S, 1)
        line.level_SxI[:, n] = np.where(count_S > 0, level_S, rest.mean())

    def predict(rows: Rows, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        store_B, item_B, _ = np.nonzero(where)
        logs_B = line.level_SxI[store_B, item_B] + (columns[where] * line.slope_IxC[item_B]).sum(1)
        return np.exp(logs_B), np.exp(logs_B + _RISE * line.slope_IxC[item_B, 0])

    return predict


def _less_mean(values: np.ndarray, group_B: np.ndarray, groups: int) -> np.ndarray:
    count = np.maximum(np.bincount(group_B, minlength=groups), 1)
    means = np.stack([np.bincount(group_B, column, minlength=groups) / count for column in values.T], axis=1)
    return np.asarray(values - means[group_B])


def _double(panel: Panel, horizons: list[Rows], drawn: list[np.ndarray], logs_B: np.ndarray, seed: int) -> Model:
    """Partially linear: what LightGBM can't say of units and price from all else is regressed on each other.

    Chernozhukov et al. 2018, The Econometrics Journal 21; two folds by store, with cost as the instrument where known.
    """
    X = np.concatenate([_table(rows, mask, price=False) for rows, mask in zip(horizons, drawn, strict=True)])
    # The residual of the first stage is made of the price itself.
    X[:, horizons[0].names.index("residual")] = 0.0
    price_B = np.concatenate([rows.price_SxIxW[mask] for rows, mask in zip(horizons, drawn, strict=True)])
    cost = np.log(np.where(panel.cost_SxIxW > 0, panel.cost_SxIxW, np.nan))
    cost_B = np.concatenate([cost[mask] for mask in drawn])
    store_B = np.concatenate([np.nonzero(mask)[0] for mask in drawn])
    item_B = np.concatenate([np.nonzero(mask)[1] for mask in drawn])
    fold_B = store_B % 2 == 0 if len(np.unique(store_B)) > 1 else np.arange(len(store_B)) % 2 == 0
    instrument_B = np.where(np.isnan(cost_B), price_B, cost_B)
    left = {name: _residuals(X, y, fold_B, seed) for name, y in
            {"units": logs_B, "price": price_B, "instrument": instrument_B}.items()}  # fmt: skip
    items = len(panel.item_ids)
    top_I = np.bincount(item_B, left["instrument"] * left["units"], minlength=items)
    bottom_I = np.bincount(item_B, left["instrument"] * left["price"], minlength=items)
    slope_I = top_I / np.where(np.abs(bottom_I) > 1e-9, bottom_I, np.inf)
    units_model, price_model = (_regressor(seed).fit(X, y) for y in (logs_B, price_B))

    def predict(rows: Rows, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        table = _table(rows, where, price=False)
        table[:, rows.names.index("residual")] = 0.0
        slope_B = slope_I[np.nonzero(where)[1]]
        logs = units_model.predict(table) + slope_B * (rows.price_SxIxW[where] - price_model.predict(table))
        return np.exp(logs), np.exp(logs + slope_B * _RISE)

    return predict


def _regressor(seed: int) -> Any:
    return lightgbm.LGBMRegressor(random_state=seed, **{**_TREES, "n_estimators": 100, "learning_rate": 0.1}, **_ALWAYS)


def _residuals(X: np.ndarray, y: np.ndarray, fold_B: np.ndarray, seed: int) -> np.ndarray:
    left = np.zeros_like(y, dtype=np.float64)
    for fold in (fold_B, ~fold_B):
        left[fold] = y[fold] - _regressor(seed).fit(X[~fold], y[~fold]).predict(X[fold])
    return left
