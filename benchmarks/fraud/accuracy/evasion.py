"""Evasion: average precision if every fraudster makes the least suspicious order available to him."""

from __future__ import annotations

import dataclasses
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fraud.accuracy import shop as shops
from benchmarks.fraud.accuracy.shop import Shop
from model.fraud.config import FraudConfig
from model.fraud.detector import attack, detector
from model.fraud.detector.attack import Attack
from model.fraud.detector.detector import Detector
from model.fraud.evaluation import protocol

FOLDS = ("2018-07-25",)
"""The first training days."""
ROUNDS = 2
ATTACKS = {
    "small": Attack(shares=(1.0, 0.9, 0.8), delays=(0, 2 * 3600)),
    "as trained against": Attack(),
    "large": Attack(shares=(1.0, 0.8, 0.6, 0.5), delays=(0, 6 * 3600, 12 * 3600)),
}


def run(path: Path, config: FraudConfig) -> dict[str, Any]:
    """Return the mean average precision without and under each attack, with and without adversarial training."""
    shop = shops.read(path, config)
    found: dict[str, dict[str, list[float]]] = {}
    for first in FOLDS:
        for name, by_attack in _fold(shop, config, shops.day(first)).items():
            for attacked, value in by_attack.items():
                found.setdefault(name, {}).setdefault(attacked, []).append(value)
    means = {
        name: {attacked: round(statistics.mean(values), 5) for attacked, values in by_attack.items()}
        for name, by_attack in found.items()
    }
    attacks = {name: dataclasses.asdict(one) for name, one in ATTACKS.items()}
    return {"folds": FOLDS, "attacks": attacks, "rounds": ROUNDS, "average_precision": means}


def _fold(shop: Shop, config: FraudConfig, first: int) -> dict[str, dict[str, float]]:
    split = shops.fold(shop, first)
    rows = split.train
    known, frauds, customers = shop.known.take(rows), shop.frauds_N[rows], shop.found.customer_N[rows]
    ours = attack.variants(shop.found, rows[frauds], Attack(), config.features)
    hardened = dataclasses.replace(config, adversarial=ROUNDS)
    scorers = {
        "as it is": detector.fit(known, frauds, customers, config, calibrated=False),
        "adversarial": attack.fit(known, frauds, customers, ours, hardened, calibrated=False),
    }
    guilty = np.flatnonzero(shop.frauds_N[split.test])
    open_to = {
        name: attack.variants(shop.found, split.test[guilty], one, config.features) for name, one in ATTACKS.items()
    }
    return {name: _under(shop, split, scorer, guilty, open_to) for name, scorer in scorers.items()}


def _under(
    shop: Shop, split: protocol.Fold, scorer: Detector, guilty: np.ndarray, open_to: dict[str, np.ndarray]
) -> dict[str, float]:
    scores_M = detector.logits(scorer, shop.known.values_NxF[split.test])
    found = {"no attack": protocol.figures(shop.found, shop.frauds_N, split, scores_M)["average_precision"]}
    for name, variants_RxVxF in open_to.items():
        attacked_M = scores_M.copy()
        chosen = attack.lowest(scorer, variants_RxVxF)
        evading_RxF = np.take_along_axis(variants_RxVxF, chosen[:, None, None], 1)[:, 0]
        attacked_M[guilty] = detector.logits(scorer, evading_RxF)
        found[name] = protocol.figures(shop.found, shop.frauds_N, split, attacked_M)["average_precision"]
    return found
