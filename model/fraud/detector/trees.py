"""Gradient-boosted trees (LightGBM) on the same features as the network.

LightGBM is imported on first use: a detector with only the network works without it.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float64

from model.fraud.config import FraudConfig

if TYPE_CHECKING:
    import lightgbm

_FEW = 256

# Greater values of these features may only raise, of those only lower the score, whatever few examples suggest.
_RISING = (
    "amount", "customer_odd", "customer_to_median", "customer_to_largest", "customer_to_mean_1d", "customer_to_mean_7d",
    "customer_to_mean_28d", "customer_open_outliers", "customer_open_doubtful", "customer_open_outliers_3d",
    "customer_open_largest", "customer_open_share", "terminal_frauds_1d", "terminal_frauds_7d", "terminal_frauds_14d",
    "terminal_frauds_28d", "terminal_risk_1d", "terminal_risk_7d", "terminal_risk_14d", "terminal_risk_28d",
    "terminal_run", "terminal_blamed",
    *(f"{link}_{what}" for link in ("payment", "device", "ip", "address") for what in ("frauds", "risk", "tainted")),
)  # fmt: skip
_FALLING = ("customer_larger_share", "customer_since_outlier", "terminal_genuine_after", "fraud_distance")


def are_there() -> bool:
    """Whether LightGBM is installed."""
    return importlib.util.find_spec("lightgbm") is not None


def fit(
    features_NxF: Float64[np.ndarray, "N F"],
    frauds_N: Bool[np.ndarray, " N"],
    weights_N: Float64[np.ndarray, " N"],
    names: Sequence[str],
    config: FraudConfig,
    *,
    seed: int,
) -> tuple[str, ...]:
    """`config.forests` ensembles with different seeds, as LightGBM's text."""
    import lightgbm

    # Bins as fine as the data: with 255, the top bin would hold both genuine and impossible amounts.
    data = lightgbm.Dataset(features_NxF, frauds_N.astype(np.float64), weight=weights_N, params={"max_bin": 4095})
    found = []
    for forest in range(config.forests):
        options = {
            "objective": "binary", "learning_rate": config.tree_rate, "num_leaves": config.leaves,
            "min_data_in_leaf": 10, "lambda_l2": 1.0, "feature_fraction": 0.5, "bagging_fraction": 0.7,
            "bagging_freq": 1, "max_bin": 4095, "monotone_constraints": [_direction(name) for name in names],
            "deterministic": True, "force_row_wise": True, "seed": 1000 * seed + forest, "verbose": -1,
        }  # fmt: skip
        found.append(lightgbm.train(options, data, config.rounds).model_to_string())
    return tuple(found)


def logits(forests: Sequence[str], features_NxF: Float64[np.ndarray, "N F"]) -> Float64[np.ndarray, " N"]:
    """The mean logit of the ensembles."""
    # Scoring a few orders takes less time than waking a second thread.
    threads = 1 if len(features_NxF) <= _FEW else 0
    found = [np.asarray(_booster(text).predict(features_NxF, raw_score=True, num_threads=threads)) for text in forests]
    return np.mean(found, axis=0)


@functools.lru_cache(maxsize=16)
def _booster(text: str) -> lightgbm.Booster:
    """Cached, since parsing the text takes longer than scoring a batch."""
    import lightgbm

    return lightgbm.Booster(model_str=text)


def _direction(name: str) -> int:
    return int(name in _RISING) - int(name in _FALLING)
