"""Members, grouping and imbalance on folds before the test folds: how the defaults were chosen."""

from __future__ import annotations

import dataclasses
import statistics
from pathlib import Path
from typing import Any

from benchmarks.fraud.accuracy import shop as shops
from benchmarks.fraud.accuracy.shop import Shop
from model.fraud.config import FraudConfig
from model.fraud.detector import anomaly, detector
from model.fraud.evaluation import protocol

FOLDS = ("2018-06-27",)
"""The first training days of the validation folds; their tests end on 2018-07-17, before the test folds begin."""

_CHOICES: dict[str, dict[str, Any]] = {
    "network and trees": {},
    "network": {"members": ("network",)},
    "trees": {"members": ("trees",)},
    "network, not grouped": {"members": ("network",), "grouped": False},
    "network, focal 1": {"members": ("network",), "imbalance": "focal"},
    "network, weight 8": {"members": ("network",), "imbalance": "weight"},
    "network, resample 8": {"members": ("network",), "imbalance": "resample"},
    "trees, weight 8": {"members": ("trees",), "imbalance": "weight"},
}


def run(path: Path, config: FraudConfig) -> dict[str, Any]:
    """Return the mean figures of each choice over the folds, and those of the score without labels."""
    shop = shops.read(path, config)
    found = {}
    for name, options in _CHOICES.items():
        tried = dataclasses.replace(config, **options)
        found[name] = _mean([_figures(shop, tried, shops.day(first)) for first in FOLDS])
    return {"folds": FOLDS, "choices": found, "without_labels": _mean([_novelty(shop, first) for first in FOLDS])}


def _figures(shop: Shop, config: FraudConfig, first: int) -> dict[str, float]:
    split = shops.fold(shop, first)
    rows = split.train
    fitted = detector.fit(
        shop.known.take(rows), shop.frauds_N[rows], shop.found.customer_N[rows], config, calibrated=False
    )
    scores_M = detector.logits(fitted, shop.known.values_NxF[split.test])
    return protocol.figures(shop.found, shop.frauds_N, split, scores_M)


def _novelty(shop: Shop, first: str) -> dict[str, float]:
    split = shops.fold(shop, shops.day(first))
    density = anomaly.fit(shop.known.values_NxF[split.train])
    scores_M = anomaly.scores(density, shop.known.values_NxF[split.test])
    return protocol.figures(shop.found, shop.frauds_N, split, scores_M)


def _mean(figures: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.mean(one[name] for one in figures), 5) for name in figures[0]}
