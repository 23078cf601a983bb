"""The first stage of two: what of a price nothing that is known explains.

A merchant who raises prices when demand is high makes a higher price look harmless. What moved the price, and is not in
the data, is in this residual; as a covariate of demand it absorbs what it did there (control function; Petrin and Train
2010, Journal of Marketing Research 47).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

_RIDGE = 1.0


def residuals(
    log_price: Float[np.ndarray, "*S T"], columns: Sequence[np.ndarray], known: Bool[np.ndarray, "*S T"]
) -> Float[np.ndarray, "*S T"]:
    """Return what is left of log price after a ridge regression on the columns, 0 where it is not `known`.

    Price and columns are compared within each series (the last axis is time): each has its own mean. A column's NaN
    says nothing.
    """
    price, *centred = (_centred(np.broadcast_to(column, log_price.shape), known) for column in (log_price, *columns))
    X = np.stack([column[known] for column in centred], axis=1)
    beta = np.linalg.solve(X.T @ X + _RIDGE * np.eye(X.shape[1]), X.T @ price[known])
    explained = sum(b * column for b, column in zip(beta, centred, strict=True))
    return np.where(known, price - explained, 0.0)


def _centred(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the values less their mean where they are known, 0 elsewhere."""
    there = known & ~np.isnan(values)
    count = np.maximum(there.sum(-1, keepdims=True), 1)
    return np.where(there, values - np.where(there, values, 0.0).sum(-1, keepdims=True) / count, 0.0)
