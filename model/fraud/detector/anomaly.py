"""A score without labels: how far an order is from what most orders look like, to catch unknown kinds of fraud.

The squared Mahalanobis distance of features whose distributions were made normal by their ranks: the density of a
Gaussian copula (COPOD, Li et al. 2020, ICDM, ignores the dependence between features).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.special import ndtri

_GRID = 513
_SHRINKAGE = 0.1


class Density(NamedTuple):
    """What orders look like: quantiles of each feature, and the inverse covariance of the normal scores."""

    quantiles_GxF: Float64[np.ndarray, "G F"]
    precision_FxF: Float64[np.ndarray, "F F"]


def fit(features_NxF: Float64[np.ndarray, "N F"]) -> Density:
    """Learn from orders, without labels."""
    quantiles_GxF = np.quantile(features_NxF, np.linspace(0, 1, _GRID), axis=0)
    normal_NxF = _normal(quantiles_GxF, features_NxF)
    covariance_FxF = np.cov(normal_NxF, rowvar=False)
    scale = np.trace(covariance_FxF) / len(covariance_FxF)
    shrunk_FxF = (1 - _SHRINKAGE) * covariance_FxF + _SHRINKAGE * scale * np.eye(len(covariance_FxF))
    return Density(quantiles_GxF, np.linalg.inv(shrunk_FxF))


def scores(density: Density, features_NxF: Float64[np.ndarray, "N F"]) -> Float64[np.ndarray, " N"]:
    """The squared distances; higher is more unusual."""
    normal_NxF = _normal(density.quantiles_GxF, features_NxF)
    return np.einsum("nf,fg,ng->n", normal_NxF, density.precision_FxF, normal_NxF, optimize=True)


def _normal(quantiles_GxF: np.ndarray, features_NxF: np.ndarray) -> np.ndarray:
    """Normal scores of the mid-ranks, within the resolution of the grid."""
    columns = []
    for grid_G, column_N in zip(quantiles_GxF.T, features_NxF.T, strict=True):
        below_N = np.searchsorted(grid_G, column_N, side="left")
        upto_N = np.searchsorted(grid_G, column_N, side="right")
        columns.append(ndtri(np.clip((below_N + upto_N) / (2 * _GRID), 0.5 / _GRID, 1 - 0.5 / _GRID)))
    return np.stack(columns, axis=1)
