"""The detector in serving: probabilities, or how unusual orders are while there are no labels, and reasons.

It is saved with what typical orders look like (for reasons), how unusual past orders were, and the histograms of drift.
All work is done in calls of one shape, so that an order has the same probability, bit for bit, whatever comes with it
and whenever it is asked about again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float64

from model.artifact import Artifact
from model.drift import Histogram
from model.fraud import drift, weights
from model.fraud.detector import anomaly, detector, fitting, trees
from model.fraud.detector.anomaly import Density
from model.fraud.detector.detector import Detector
from model.fraud.drift import Reference
from model.fraud.features import order_features

TILE = 8
_TYPICAL = "typical"
_QUANTILES, _PRECISION, _STRANGE = "novelty/quantiles", "novelty/precision", "novelty/strange"
_REFERENCE = "reference"
# How many quantiles of the distances of past orders are kept.
_GRID = 1001


class Screener(NamedTuple):
    """Everything that orders are judged with; `scorer` has no members if there were no labels to learn from."""

    scorer: Detector
    typical_F: Float64[np.ndarray, " F"]
    density: Density
    strange_G: Float64[np.ndarray, " G"]  # quantiles of the distances of past orders, ascending
    reference: Reference | None

    @property
    def is_trained(self) -> bool:
        """Whether it gives probabilities."""
        return self.scorer.network is not None or bool(self.scorer.forests)


class Moved(NamedTuple):
    """A feature that raised an order's logit: its value, the typical value, and by how much it raised the logit."""

    name: str
    value: float
    typical: float
    by: float


def build(scorer: Detector, features_NxF: Float64[np.ndarray, "N F"]) -> Screener:
    """A screener for the orders that the scorer was trained on."""
    halves = features_NxF[::2], features_NxF[1::2]
    # Distances of orders that the density was not fitted to: those of fitted orders are shorter.
    unseen_N = np.concatenate([anomaly.scores(anomaly.fit(halves[n]), halves[1 - n]) for n in (0, 1)])
    strange_G = np.quantile(unseen_N, np.linspace(0, 1, _GRID))
    made = Screener(scorer, np.median(features_NxF, axis=0), anomaly.fit(features_NxF), strange_G, None)
    return made._replace(reference=drift.reference(scorer, features_NxF)) if made.is_trained else made


def to_artifact(found: Screener, *, metrics: Mapping[str, Any] | None = None) -> Artifact:
    """The screener as an artifact."""
    saved = weights.to_artifact(found.scorer, metrics=metrics)
    params = dict(saved.params) | {
        _TYPICAL: found.typical_F,
        _QUANTILES: found.density.quantiles_GxF,
        _PRECISION: found.density.precision_FxF,
        _STRANGE: found.strange_G,
    }
    config = dict(saved.config)
    if found.reference is not None:
        config[_REFERENCE] = {
            name: [one.edges_I.tolist(), one.counts_B.tolist()] for name, one in found.reference.histograms.items()
        }
    return dataclasses.replace(saved, params=params, config=config)


def from_artifact(saved: Artifact) -> Screener:
    """The saved screener. Raises `ArtifactError` if it is of another kind or has other features."""
    scorer = weights.from_artifact(saved, order_features.NAMES)
    density = Density(saved.params[_QUANTILES], saved.params[_PRECISION])
    reference = None
    if _REFERENCE in saved.config:
        histograms = {
            name: Histogram(np.array(edges), np.array(counts))
            for name, (edges, counts) in saved.config[_REFERENCE].items()
        }
        reference = Reference(histograms)
    return Screener(scorer, saved.params[_TYPICAL], density, saved.params[_STRANGE], reference)


def placed(screener: Screener) -> Screener:
    """The same screener with its network on the device, so that it is not copied there for every batch."""
    network = screener.scorer.network
    if network is None:
        return screener
    found = network._replace(params=jax.device_put(network.params), edges_FxK=jax.device_put(network.edges_FxK))
    return screener._replace(scorer=screener.scorer._replace(network=found))


def warm(screener: Screener) -> None:
    """Compiles everything that serving calls: nothing compiles after this."""
    if screener.is_trained:
        probabilities(screener, screener.typical_F[None])


def logits(screener: Screener, features_NxF: Float64[np.ndarray, "N F"]) -> Float64[np.ndarray, " N"]:
    """The mean of the members' logits, computed row by row."""
    scorer, found = screener.scorer, []
    if scorer.network is not None:
        found.append(fitting.logits(scorer.network, features_NxF, scorer.config, tile=TILE))
    if scorer.forests:
        found.append(trees.logits(scorer.forests, features_NxF))
    return np.mean(found, axis=0)


def probabilities(screener: Screener, features_NxF: Float64[np.ndarray, "N F"]) -> Float64[np.ndarray, " N"]:
    """Calibrated probabilities of fraud."""
    return detector.calibrated(screener.scorer.calibration, logits(screener, features_NxF))


def strangeness(screener: Screener, features_NxF: Float64[np.ndarray, "N F"]) -> Float64[np.ndarray, " N"]:
    """The share of past orders that are less unusual, in 0..1."""
    # One row at a time: the number of rows of a matrix product can change its last bit.
    found = [anomaly.scores(screener.density, features_NxF[row : row + 1])[0] for row in range(len(features_NxF))]
    return np.searchsorted(screener.strange_G, np.array(found), side="left") / _GRID


def reasons(screener: Screener, features_F: Float64[np.ndarray, " F"], *, most: int = 3) -> list[Moved]:
    """The features that raised an order's logit most compared with their typical values, each changed on its own."""
    count = len(features_F)
    changed_FxF = np.repeat(features_F[None], count, axis=0)
    np.fill_diagonal(changed_FxF, screener.typical_F)
    found = logits(screener, np.concatenate([features_F[None], changed_FxF]))
    by_F = found[0] - found[1:]
    order = np.argsort(-by_F, kind="stable")[:most]
    return [
        Moved(order_features.NAMES[n], float(features_F[n]), float(screener.typical_F[n]), float(by_F[n]))
        for n in order.tolist()
        if by_F[n] > 0
    ]
