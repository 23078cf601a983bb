"""The detector: the mean of its members' logits, calibrated to a probability on orders that it did not learn from."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from model.fraud.config import FraudConfig
from model.fraud.detector import fitting, trees
from model.fraud.detector.fitting import Fitted
from model.fraud.detector.network import Groups
from model.fraud.features.features import Features

_CALIBRATION_FOLDS = 3
_NEWTON_STEPS = 50


class Calibration(NamedTuple):
    """probability = sigmoid(slope x logit + offset) (Platt 1999)."""

    slope: float = 1.0
    offset: float = 0.0


class Detector(NamedTuple):
    """A trained detector; `network` is None, or `forests` empty, if it has no such member."""

    config: FraudConfig
    names: tuple[str, ...]
    groups: Groups
    network: Fitted | None
    forests: tuple[str, ...]
    calibration: Calibration = Calibration()


class Evading(NamedTuple):
    """Features of frauds as an attacker would change them, and their customers."""

    values_ExF: Float64[np.ndarray, "E F"]
    customer_E: Int64[np.ndarray, " E"]

    def for_customers(self, customer_N: Int64[np.ndarray, " N"]) -> Evading:
        """Those of these customers."""
        rows = np.flatnonzero(np.isin(self.customer_E, customer_N))
        return Evading(self.values_ExF[rows], self.customer_E[rows])


def fit(
    known: Features,
    frauds_N: Bool[np.ndarray, " N"],
    customer_N: Int64[np.ndarray, " N"],
    config: FraudConfig,
    *,
    seed: int = 0,
    calibrated: bool = True,
    evading: Evading | None = None,
) -> Detector:
    """Train on these orders. Calibration uses folds of customers, each scored by members that have not seen it.

    Orders of `evading` are frauds that the members, but not the calibration, learn from too.
    """
    detector = _members(known, frauds_N, evading, config, seed)
    if not calibrated:
        return detector
    # A single copy of each member is about as good as the mean of several.
    light = dataclasses.replace(config, copies=1, forests=1)
    _, dense_N = np.unique(customer_N, return_inverse=True)
    fold_N = np.random.default_rng(seed).permutation(dense_N.max() + 1)[dense_N] % _CALIBRATION_FOLDS
    held_out_N = np.zeros(len(frauds_N))
    for fold in range(_CALIBRATION_FOLDS):
        inside, outside = np.flatnonzero(fold_N != fold), np.flatnonzero(fold_N == fold)
        own = None if evading is None else evading.for_customers(customer_N[inside])
        members = _members(known.take(inside), frauds_N[inside], own, light, seed)
        held_out_N[outside] = logits(members, known.values_NxF[outside])
    return detector._replace(calibration=platt(held_out_N, frauds_N))


def update(
    before: Detector,
    known: Features,
    frauds_N: Bool[np.ndarray, " N"],
    config: FraudConfig,
    *,
    replayed: tuple[Features, Bool[np.ndarray, " M"]] | None = None,
    seed: int,
) -> Detector:
    """Learn from orders with new labels: the network is trained further, and a new forest replaces the oldest one.

    Orders of `replayed`, which the detector has learnt from already, are learnt again, so that it does not forget them.
    The calibration is fitted to the detector's scores of the new orders from before the update.
    """
    said_N = logits(before, known.values_NxF)
    calibration = platt(said_N, frauds_N)
    values_NxF = known.values_NxF
    if replayed is not None:
        values_NxF = np.concatenate([values_NxF, replayed[0].values_NxF])
        frauds_N = np.append(frauds_N, replayed[1])
    weights_N = fitting.weights(config, frauds_N)
    network, forests = before.network, before.forests
    if network is not None:
        slower = dataclasses.replace(
            config, epochs=config.update_epochs, learning_rate=config.update_rate * config.learning_rate
        )
        network = fitting.fit(values_NxF, frauds_N, weights_N, before.groups, slower, seed=seed, start=network)
    if forests:
        one = dataclasses.replace(config, forests=1)
        fresh = trees.fit(values_NxF, frauds_N, weights_N, known.names, one, seed=seed)
        forests = (*forests[1:], *fresh)
    return before._replace(network=network, forests=forests, calibration=calibration)


def _members(
    known: Features, frauds_N: np.ndarray, evading: Evading | None, config: FraudConfig, seed: int
) -> Detector:
    values_NxF = known.values_NxF
    if evading is not None:
        values_NxF = np.concatenate([values_NxF, evading.values_ExF])
        frauds_N = np.append(frauds_N, np.ones(len(evading.values_ExF), bool))
    weights_N = fitting.weights(config, frauds_N)
    network, forests = None, ()
    if "network" in config.members:
        network = fitting.fit(values_NxF, frauds_N, weights_N, _groups(known, config), config, seed=seed)
    if "trees" in config.members:
        rows = np.arange(len(frauds_N))
        if config.imbalance == "resample":
            rows = fitting.drawn(config, frauds_N, np.random.default_rng(seed))
        forests = trees.fit(values_NxF[rows], frauds_N[rows], weights_N[rows], known.names, config, seed=seed)
    return Detector(config, known.names, _groups(known, config), network, forests)


def _groups(known: Features, config: FraudConfig) -> Groups:
    return known.groups if config.grouped else (tuple(range(len(known.names))),)


def logits(detector: Detector, features_NxF: Float64[np.ndarray, "N F"]) -> Float64[np.ndarray, " N"]:
    """The mean of the members' logits, which orders are ranked by."""
    found = []
    if detector.network is not None:
        found.append(fitting.logits(detector.network, features_NxF, detector.config))
    if detector.forests:
        found.append(trees.logits(detector.forests, features_NxF))
    return np.mean(found, axis=0)


def probabilities(detector: Detector, features_NxF: Float64[np.ndarray, "N F"]) -> Float64[np.ndarray, " N"]:
    """Calibrated probabilities of fraud, in the same order as the logits."""
    return calibrated(detector.calibration, logits(detector, features_NxF))


def calibrated(calibration: Calibration, logits_N: Float64[np.ndarray, " N"]) -> Float64[np.ndarray, " N"]:
    """The probabilities of these logits."""
    return 1.0 / (1.0 + np.exp(-(calibration.slope * logits_N + calibration.offset)))


def platt(logits_N: Float64[np.ndarray, " N"], frauds_N: Bool[np.ndarray, " N"]) -> Calibration:
    """The slope (at least .1) and the offset with the greatest likelihood, by Newton's method."""
    inputs_Nx2 = np.stack([logits_N, np.ones_like(logits_N)], axis=1)
    found = np.array([1.0, 0.0])
    for _ in range(_NEWTON_STEPS):
        says_N = 1.0 / (1.0 + np.exp(-(inputs_Nx2 @ found)))
        slope = inputs_Nx2.T @ (says_N - frauds_N) + 1e-3 * (found - [1.0, 0.0])
        curvature = (inputs_Nx2 * (says_N * (1 - says_N))[:, None]).T @ inputs_Nx2 + 1e-3 * np.eye(2)
        found = found - np.linalg.solve(curvature, slope)
    return Calibration(max(float(found[0]), 0.1), float(found[1]))
