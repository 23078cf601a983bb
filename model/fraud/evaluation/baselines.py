"""The usual classifiers on the handbook's features, as baselines in the same run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import lightgbm
import numpy as np
from jaxtyping import Bool, Float64
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Score = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]


def logistic_regression(train_NxF: np.ndarray, frauds_N: np.ndarray, test_MxF: np.ndarray, seed: int) -> np.ndarray:
    """Scores of a logistic regression on standardised features."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=seed))
    return np.asarray(model.fit(train_NxF, frauds_N).predict_proba(test_MxF)[:, 1])


def random_forest(train_NxF: np.ndarray, frauds_N: np.ndarray, test_MxF: np.ndarray, seed: int) -> np.ndarray:
    """Scores of a random forest, with the depth found by the handbook's tuning."""
    model = RandomForestClassifier(n_estimators=100, max_depth=10, random_state=seed)
    return np.asarray(model.fit(train_NxF, frauds_N).predict_proba(test_MxF)[:, 1])


def boosted_trees(train_NxF: np.ndarray, frauds_N: np.ndarray, test_MxF: np.ndarray, seed: int) -> np.ndarray:
    """Scores of LightGBM, with the best of a few options that were tried on weeks before the tests."""
    options = {
        "objective": "binary", "learning_rate": 0.02, "min_data_in_leaf": 100, "bagging_fraction": 0.8,
        "bagging_freq": 1, "seed": seed, "deterministic": True, "force_row_wise": True, "verbose": -1,
    }  # fmt: skip
    data = lightgbm.Dataset(train_NxF, frauds_N.astype(np.float64))
    return np.asarray(lightgbm.train(options, data, 200).predict(test_MxF))


ALL: Mapping[str, Score] = {
    "logistic_regression": logistic_regression,
    "random_forest": random_forest,
    "lightgbm": boosted_trees,
}


def scores(
    name: str,
    train_NxF: Float64[np.ndarray, "N F"],
    frauds_N: Bool[np.ndarray, " N"],
    test_MxF: Float64[np.ndarray, "M F"],
    *,
    seed: int,
) -> Float64[np.ndarray, " M"]:
    """Scores of the test orders by the classifier of `ALL` with this name."""
    return ALL[name](train_NxF, frauds_N, test_MxF, seed)
