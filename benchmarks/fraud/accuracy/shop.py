"""The orders of the benchmarks, with their features."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model.fraud.config import FraudConfig
from model.fraud.evaluation import protocol
from model.fraud.evaluation.protocol import Fold, Span
from model.fraud.features import features
from model.fraud.features.features import Features
from model.fraud.features.orders import Orders
from workers.evaluate import fraud_files

DELAY = 7
WEEK = 7


class Shop(NamedTuple):
    """Orders, whether they are fraud, and their features."""

    found: Orders
    frauds_N: np.ndarray
    known: Features


def read(path: Path, config: FraudConfig) -> Shop:
    """Read a file of transactions and compute all features."""
    data = fraud_files.read(path, delay=DELAY)
    found, known = features.compute_all(data.found, config.features)
    return Shop(found, data.frauds_N, known)


def day(text: str) -> int:
    """Return an ISO date as days since 1970-01-01."""
    return date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()


def fold(shop: Shop, first: int) -> Fold:
    """The handbook's fold that trains on the week from `first` on: a week's delay, then a week's test."""
    train, test = Span(first, first + WEEK - 1), Span(first + WEEK + DELAY, first + 2 * WEEK + DELAY - 1)
    return protocol.fold(shop.found, shop.frauds_N, train, test, delay=DELAY)
