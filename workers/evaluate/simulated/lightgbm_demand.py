"""LightGBM as a model of demand in a simulated shop: what a good forecaster says of other prices."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np

from model.pricing.evaluation import counterfactual
from model.pricing.evaluation.counterfactual import Trial

NAME = "LightGBM"

_TREES: dict[str, Any] = {
    "objective": "poisson",
    "n_estimators": 200,
    "learning_rate": 0.06,
    "num_leaves": 31,
    "min_child_samples": 40,
    "verbose": -1,
    "n_jobs": 1,
    "deterministic": True,
}
_MEANS = (7, 28)


def expected(trial: Trial, *, seed: int) -> np.ndarray:
    """Return the units expected in the twin's days, after learning from all days before ("N T")."""
    features = _features(trial)
    past, ahead = counterfactual.PAST, counterfactual.AHEAD
    first = ahead + max(_MEANS)
    model = lightgbm.LGBMRegressor(random_state=seed, **_TREES)
    rows = features[:, first:past]
    model.fit(rows.reshape(-1, rows.shape[-1]), trial.known.units_NxT[:, first:past].reshape(-1))
    units = model.predict(features[:, past:].reshape(-1, rows.shape[-1]))
    return np.asarray(units).reshape(len(features), -1)


def _features(trial: Trial) -> np.ndarray:
    """Return what is known of each item and day four weeks before it, and the prices and costs of the day."""
    known = trial.known
    items, days = known.price_NxT.shape
    usual_Nx1 = np.median(known.price_NxT[:, : counterfactual.PAST], axis=1, keepdims=True)
    columns = [
        np.arange(items)[:, None],
        trial.category_N[:, None],
        known.season_T[None],
        np.log(known.price_NxT / usual_Nx1),
        np.log(known.cost_NxT / usual_Nx1),
        np.log(known.competitor_NxT / usual_Nx1),
        np.log(known.price_NxT / known.competitor_NxT),
        *(_means(known.units_NxT, width) for width in _MEANS),
    ]
    return np.stack([np.broadcast_to(column, (items, days)) for column in columns], axis=-1)


def _means(units_NxT: np.ndarray, width: int) -> np.ndarray:
    """Return the mean units of `width` days that end four weeks before each day, NaN where they are not all known."""
    total_NxT = np.cumsum(units_NxT, axis=1)
    found = np.full(units_NxT.shape, np.nan)
    ahead = counterfactual.AHEAD
    found[:, ahead + width :] = (total_NxT[:, width:-ahead] - total_NxT[:, : -ahead - width]) / width
    return found
