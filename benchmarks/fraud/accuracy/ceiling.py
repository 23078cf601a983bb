"""An upper bound: the figures of a ranking that puts every fraud with any sign first, and the rest at random.

It knows the answers, so it is no classifier, but a bound on what better learning from the same features could reach.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fraud.accuracy import shop as shops
from benchmarks.fraud.accuracy.shop import Shop
from model.fraud.config import FraudConfig
from model.fraud.evaluation import protocol

FOLDS = ("2018-07-25", "2018-07-18", "2018-07-11", "2018-07-04")
"""The first training days of the test folds."""


def run(path: Path, config: FraudConfig) -> dict[str, Any]:
    """Return the bound in each fold and its mean, and the share of frauds with a sign."""
    shop = shops.read(path, config)
    by_fold = {first: _bound(shop, shops.day(first)) for first in FOLDS}
    names = by_fold[FOLDS[0]]
    means = {name: round(statistics.mean(one[name] for one in by_fold.values()), 5) for name in names}
    return {"folds": by_fold, "means": means}


def _bound(shop: Shop, first: int) -> dict[str, float]:
    split = shops.fold(shop, first)
    sign_M = _signs(shop, split)
    frauds_M = shop.frauds_N[split.test]
    at_random_M = np.random.default_rng(0).random(len(sign_M))
    figures = protocol.figures(shop.found, shop.frauds_N, split, (frauds_M & sign_M) + 0.5 * at_random_M)
    return {"with_a_sign": float(sign_M[frauds_M & split.kept].mean())} | figures


def _signs(shop: Shop, split: protocol.Fold) -> np.ndarray:
    """Where the terminal is in a run of frauds, or the amount exceeds all genuine ones of training, or twice the usual.

    After an outlier that is not judged yet, 1.2 times the usual is a sign, too.
    """
    columns = dict(zip(shop.known.names, shop.known.values_NxF[split.test].T, strict=True))
    amounts_N = shop.known.values_NxF[split.train, shop.known.names.index("amount")]
    largest = amounts_N[~shop.frauds_N[split.train]].max()
    odd_M = columns["customer_odd"]
    after_M = (columns["customer_open_outliers"] > 0) & (odd_M > 1.2)
    return (columns["terminal_run"] > 0) | (columns["amount"] > largest) | (odd_M > 2) | after_M
