"""The handbook's protocol: train on some days, wait for their labels, test on later days without known cards.

After Le Borgne et al. 2022, Reproducible Machine Learning for Credit Card Fraud Detection, chapters 3.5 and 4.3.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int64

from model import metrics
from model.errors import DataError
from model.fraud.features.orders import DAY, Orders


class Span(NamedTuple):
    """Whole days, both included, as days since 1970-01-01 (UTC)."""

    first: int
    last: int


class Fold(NamedTuple):
    """Positions of the orders of a fold. `test` has all orders of the test days, `kept` marks those that count."""

    train: Int64[np.ndarray, " N"]
    test: Int64[np.ndarray, " M"]
    kept: Bool[np.ndarray, " M"]


def fold(found: Orders, frauds_N: Bool[np.ndarray, " N"], train: Span, test: Span, *, delay: int) -> Fold:
    """The fold; `delay` is the number of days until a label is known.

    Cards (customers) with a fraud that is known before a test day, because it happened between the first day of
    training and `delay` days before, do not count on that day. Raises `DataError` if a span has no orders, if training
    has no fraud or only frauds, or if the test begins before training ended and its labels were known.
    """
    day_N = found.at_N // DAY
    if test.first - train.last <= delay:
        raise DataError(
            f"the test begins {test.first - train.last} days after training ends, but labels take {delay}: "
            f"begin it at least {delay + 1} days after"
        )
    in_train = np.flatnonzero((day_N >= train.first) & (day_N <= train.last))
    in_test = np.flatnonzero((day_N >= test.first) & (day_N <= test.last))
    for name, rows in (("training", in_train), ("test", in_test)):
        if not len(rows):
            raise DataError(
                f"no orders on the {name} days: the file goes from {_date(day_N.min())} to {_date(day_N.max())}"
            )
    if not 0 < frauds_N[in_train].sum() < len(in_train):
        raise DataError("the training days need both frauds and genuine orders: take more days")
    kept = ~_known(found, frauds_N, train, in_test, delay)
    return Fold(in_train, in_test, kept)


def _known(found: Orders, frauds_N: np.ndarray, train: Span, in_test: np.ndarray, delay: int) -> Bool[np.ndarray, " M"]:
    """Which test orders are of cards that are known by then."""
    day_N = found.at_N // DAY
    guilty = np.flatnonzero(frauds_N & (day_N >= train.first))
    first_day: dict[int, int] = {}
    for customer, day in zip(found.customer_N[guilty].tolist(), day_N[guilty].tolist(), strict=True):
        first_day[customer] = min(day, first_day.get(customer, day))
    never = np.iinfo(np.int64).max // 2
    since_M = np.array([first_day.get(customer, never) for customer in found.customer_N[in_test].tolist()], np.int64)
    return since_M + delay < day_N[in_test]


def figures(
    found: Orders, frauds_N: Bool[np.ndarray, " N"], split: Fold, scores_M: Float[np.ndarray, " M"]
) -> dict[str, float]:
    """AUC, average precision and card precision@100 of the scores of a test."""
    rows, scores = split.test[split.kept], scores_M[split.kept]
    return {
        "roc_auc": metrics.roc_auc(frauds_N[rows], scores),
        "average_precision": metrics.average_precision(frauds_N[rows], scores),
        "card_precision@100": metrics.card_precision(
            found.at_N[rows] // DAY, found.customer_N[rows], frauds_N[rows], scores, k=100
        ),
    }


def _date(day: int) -> str:
    return str(np.datetime64(int(day), "D"))
