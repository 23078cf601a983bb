"""Labels that come a week late: how good an updated detector is in the week after, and others.

Every week is scored by detectors that know only what was known when it began. The frozen ones were trained on the first
week; one still sees new labels in its features, the blind one does not. The incremental one is updated with each week
whose labels have come, and the week before that; the retrained one is trained from scratch on the newest week.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fraud.accuracy import shop as shops
from benchmarks.fraud.accuracy.shop import DELAY, WEEK, Shop
from model.fraud.config import FraudConfig
from model.fraud.detector import detector
from model.fraud.detector.detector import Detector
from model.fraud.evaluation import protocol
from model.fraud.features import features
from model.fraud.features.features import Features
from model.fraud.features.orders import DAY, NEVER

FIRST = "2018-06-20"
"""First day of the first week of training."""


def run(path: Path, config: FraudConfig) -> dict[str, Any]:
    """Return average precision and AUC of each arm in each week, and the means over the weeks after the first."""
    shop = shops.read(path, config)
    table = list(_weeks(shop, config))
    arms = [name for name in table[0] if name != "test_from"]
    later = table[1:]
    means = {
        arm: {
            measure: round(float(np.mean([week[arm][measure] for week in later])), 5)
            for measure in ("average_precision", "roc_auc")
        }
        for arm in arms
    }
    return {"first_training_week": FIRST, "weeks": table, "means_after_the_first": means}


def _weeks(shop: Shop, config: FraudConfig) -> Iterator[dict[str, Any]]:
    first = shops.day(FIRST)
    blind = _blind(shop, config, (first + WEEK + DELAY) * DAY)
    last = int(shop.found.at_N.max()) // DAY
    frozen = incremental = _fitted(shop, config, first)
    for number, start in enumerate(range(first, last - 2 * WEEK - DELAY + 2, WEEK)):
        split = shops.fold(shop, start)
        retrained = frozen
        if number:
            incremental = _updated(shop, config, incremental, start, seed=number)
            retrained = _fitted(shop, config, start)
        arms = {
            "frozen, blind": (frozen, blind),
            "frozen": (frozen, shop.known),
            "incremental": (incremental, shop.known),
            "retrained": (retrained, shop.known),
        }
        yield {"test_from": str(np.datetime64(start + WEEK + DELAY, "D"))} | {
            name: _figures(shop, split, scorer, known) for name, (scorer, known) in arms.items()
        }


def _blind(shop: Shop, config: FraudConfig, moment: int) -> Features:
    """Features that do not know any label from after `moment`."""
    fraud_at_N = np.where(shop.found.fraud_at_N <= moment, shop.found.fraud_at_N, NEVER)
    return features.compute_all(shop.found._replace(fraud_at_N=fraud_at_N), config.features)[1]


def _fitted(shop: Shop, config: FraudConfig, first: int) -> Detector:
    rows = _days(shop, first, first + WEEK)
    return detector.fit(
        shop.known.take(rows), shop.frauds_N[rows], shop.found.customer_N[rows], config, calibrated=False
    )


def _updated(shop: Shop, config: FraudConfig, before: Detector, first: int, *, seed: int) -> Detector:
    rows, older = _days(shop, first, first + WEEK), _days(shop, first - WEEK, first)
    return detector.update(
        before,
        shop.known.take(rows),
        shop.frauds_N[rows],
        config,
        replayed=(shop.known.take(older), shop.frauds_N[older]),
        seed=seed,
    )


def _days(shop: Shop, first: int, end: int) -> np.ndarray:
    day_N = shop.found.at_N // DAY
    return np.flatnonzero((day_N >= first) & (day_N < end))


def _figures(shop: Shop, split: protocol.Fold, scorer: Detector, known: Features) -> dict[str, float]:
    scores_M = detector.logits(scorer, known.values_NxF[split.test])
    found = protocol.figures(shop.found, shop.frauds_N, split, scores_M)
    return {name: round(value, 5) for name, value in found.items()}
