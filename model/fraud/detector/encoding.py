"""Numbers as piecewise-linear codes: how far a value has passed through each interval between a feature's edges.

After Gorishniy et al. 2022 (NeurIPS, arXiv 2203.05556): a linear layer on such codes is a piecewise-linear function of
the feature, so thresholds are learned where a standardised input would need a deep network. Edges are quantiles, and
the values on both sides of the splits of a decision tree on this feature alone.
"""

from __future__ import annotations

import heapq

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Float64

# Start of an interval that is never entered, for features with fewer distinct values than edges.
_BEYOND = 1e30
_LEAST_LEAF = 10


def edges(
    features_NxF: Float64[np.ndarray, "N F"], frauds_N: Bool[np.ndarray, " N"], *, quantiles: int, splits: int
) -> Float32[np.ndarray, "F K"]:
    """The edges of each feature, ascending, K = `quantiles` + 2 `splits`; missing edges are beyond all values."""
    found_FxK = np.full((features_NxF.shape[1], quantiles + 2 * splits), _BEYOND, np.float32)
    at_Q = np.linspace(0, 1, quantiles)
    for feature, column_N in enumerate(features_NxF.astype(np.float32).T):
        distinct = np.unique([*np.quantile(column_N, at_Q), *_splits(column_N, frauds_N, splits)]).astype(np.float32)
        found_FxK[feature, : len(distinct)] = distinct
    return found_FxK


def encoded(features_BxF: Float[Array, "B F"], edges_FxK: Float[Array, "F K"]) -> Float[Array, "B F K"]:
    """For each value 0 below an edge, 1 above the next one, in between its share of the way. The last has no next."""
    beyond_Fx1 = jnp.full_like(edges_FxK[:, :1], _BEYOND)
    upper_FxK = jnp.concatenate([edges_FxK[:, 1:], beyond_Fx1], axis=1)
    width_FxK = jnp.where(upper_FxK >= _BEYOND, jnp.maximum(jnp.abs(edges_FxK), 1.0), upper_FxK - edges_FxK)
    return jnp.clip((features_BxF[:, :, None] - edges_FxK[None]) / width_FxK[None], 0.0, 1.0)


def _splits(column_N: np.ndarray, frauds_N: np.ndarray, count: int) -> list[float]:
    """The values on both sides of up to `count` splits, best first, each chosen by how much it lowers the entropy."""
    order_N = np.argsort(column_N, kind="stable")
    values_N = column_N[order_N]
    upto_M = np.append(0, np.cumsum(frauds_N[order_N]))
    found: list[float] = []
    waiting = [_best(values_N, upto_M, 0, len(values_N))]
    while waiting and len(found) < 2 * count:
        gain, first, cut, end = heapq.heappop(waiting)
        if gain >= 0:
            break
        found += [float(values_N[cut - 1]), float(values_N[cut])]
        for part in (_best(values_N, upto_M, first, cut), _best(values_N, upto_M, cut, end)):
            heapq.heappush(waiting, part)
    return found


def _best(values_N: np.ndarray, upto_M: np.ndarray, first: int, end: int) -> tuple[float, int, int, int]:
    """(-gain, first, cut, end) of the best cut between `first` and `end`; gain 0 if there is none."""
    cuts = np.arange(first + _LEAST_LEAF, end - _LEAST_LEAF + 1)
    cuts = cuts[values_N[cuts - 1] < values_N[cuts]] if len(cuts) else cuts
    if not len(cuts):
        return 0.0, first, first, end
    left = _entropy(upto_M[cuts] - upto_M[first], cuts - first)
    right = _entropy(upto_M[end] - upto_M[cuts], end - cuts)
    gains = _entropy(upto_M[end] - upto_M[first], np.array(end - first)) - left - right
    best = int(gains.argmax())
    return -float(max(gains[best], 0.0)), first, int(cuts[best]), end


def _entropy(frauds: np.ndarray, count: np.ndarray) -> np.ndarray:
    """In nats, times the count."""
    share = np.clip(frauds / count, 1e-12, 1 - 1e-12)
    return -count * (share * np.log(share) + (1 - share) * np.log1p(-share))
