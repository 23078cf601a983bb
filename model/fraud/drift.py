"""Drift of a detector: how far inputs, scores and outcomes have moved since it was trained."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64

from model import drift
from model.drift import Calibration, Histogram
from model.fraud.detector import detector
from model.fraud.detector.detector import Detector

SCORE = "score"


class Reference(NamedTuple):
    """The state at training: a histogram of each feature, and of the logits."""

    histograms: dict[str, Histogram]


def reference(scorer: Detector, features_NxF: Float64[np.ndarray, "N F"]) -> Reference:
    """The reference of the orders that the detector was trained on."""
    found = dict(zip(scorer.names, map(drift.histogram, features_NxF.T), strict=True))
    return Reference({**found, SCORE: drift.histogram(detector.logits(scorer, features_NxF))})


def moved(known: Reference, scorer: Detector, features_NxF: Float64[np.ndarray, "N F"]) -> dict[str, float]:
    """The population stability indexes of the features and the score that exceed chance."""
    columns = dict(zip(scorer.names, features_NxF.T, strict=True))
    columns[SCORE] = detector.logits(scorer, features_NxF)
    found = {}
    for name, histogram in known.histograms.items():
        index = drift.psi(histogram.counts_B, drift.counts(histogram.edges_I, columns[name]))
        bins, trained = len(histogram.counts_B), int(histogram.counts_B.sum())
        if bins > 1 and index > drift.psi_by_chance(bins, trained, len(features_NxF)):
            found[name] = index
    return found


def came_true(
    scorer: Detector, features_NxF: Float64[np.ndarray, "N F"], frauds_N: Bool[np.ndarray, " N"]
) -> Calibration:
    """Compares the outcomes of labelled orders with their probabilities."""
    return drift.calibration(detector.probabilities(scorer, features_NxF), frauds_N.astype(np.float64))
