"""Evasion: what a fraudster can change about his own order, and a detector that is trained against it.

He may spend less and wait: the features of every such order are computed by the same engine as those of real orders, so
that exactly what depends on his changes changes. The detector is trained on what evaded it before (Kantchelian, Tygar
and Joseph 2016, ICML, for trees; Madry et al. 2018, ICLR, for networks), with the strongest attack of the grid found
exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from model.fraud.config import FraudConfig
from model.fraud.detector import detector
from model.fraud.detector.detector import Detector, Evading
from model.fraud.features import features
from model.fraud.features.features import FeatureConfig, Features
from model.fraud.features.orders import Orders


@dataclass(frozen=True)
class Attack:
    """A grid of changes: the amount times each share, each delayed by some seconds. It includes the unchanged order."""

    shares: tuple[float, ...] = (1.0, 0.9, 0.8, 0.7)
    delays: tuple[int, ...] = (0, 2 * 3600, 6 * 3600)


def variants(
    found: Orders, rows: Int64[np.ndarray, " R"], attack: Attack, config: FeatureConfig
) -> Float64[np.ndarray, "R V F"]:
    """The features of these orders under each change, with the history in `found`; V = shares x delays.

    One attacker changes one order: the others stay the same. `found` has its `odd_N`.
    """
    own = found.take(rows)
    made = [
        own._replace(at_N=own.at_N + delay, cents_N=np.maximum((own.cents_N * share).astype(np.int64), 1))
        for share in attack.shares
        for delay in attack.delays
    ]
    described = [_described(changed, found, config) for changed in made]
    return np.stack(described, axis=1)


def _described(changed: Orders, found: Orders, config: FeatureConfig) -> Float64[np.ndarray, "R F"]:
    by_customer = features.asked(features.customer, changed, changed.customer_N, found, found.customer_N, config)
    by_terminal = features.asked(features.terminal, changed, changed.terminal_N, found, found.terminal_N, config)
    return features.together(changed, by_customer, by_terminal, config).values_NxF


def lowest(scorer: Detector, variants_RxVxF: Float64[np.ndarray, "R V F"]) -> Int64[np.ndarray, " R"]:
    """For each order the variant that the detector finds least suspicious."""
    rows, count, width = variants_RxVxF.shape
    return detector.logits(scorer, variants_RxVxF.reshape(-1, width)).reshape(rows, count).argmin(1)


def fit(
    known: Features,
    frauds_N: Bool[np.ndarray, " N"],
    customer_N: Int64[np.ndarray, " N"],
    variants_RxVxF: Float64[np.ndarray, "R V F"],
    config: FraudConfig,
    *,
    seed: int = 0,
    calibrated: bool = True,
) -> Detector:
    """Train in `config.adversarial` rounds on the variants that evade the previous detector, then once more on all.

    `variants_RxVxF` are those of the frauds, in their order.
    """
    evading = Evading(np.zeros((0, variants_RxVxF.shape[2])), np.zeros(0, np.int64))
    for turn in range(config.adversarial):
        before = detector.fit(known, frauds_N, customer_N, config, seed=seed + turn, calibrated=False, evading=evading)
        worst_RxF = np.take_along_axis(variants_RxVxF, lowest(before, variants_RxVxF)[:, None, None], 1)[:, 0]
        evading = Evading(
            np.concatenate([evading.values_ExF, worst_RxF]), np.append(evading.customer_E, customer_N[frauds_N])
        )
    return detector.fit(known, frauds_N, customer_N, config, seed=seed, calibrated=calibrated, evading=evading)
