"""The training data: orders whose outcome is known by some time, and the part that is kept for the gate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sqlalchemy import Engine

from model.fraud.features import order_features
from model.fraud.features.features import FeatureConfig, Features
from model.fraud.features.order_features import ShopOrders
from model.fraud.features.orders import NEVER
from storage.fraud import entity_history
from workers.fraud import columns
from workers.fraud.columns import Every
from workers.fraud.training.waiting import LEAST_FRAUDS
from workers.registry.errors import NotEnoughData

MOST_ROWS = 150_000
"""Most orders that one training learns from: the newest of those with a known outcome."""
_TESTED_SHARE = 4  # the newest quarter
_HALF = 2


class Learnable(NamedTuple):
    """Rows of all orders: those to learn from, and those to test on, which nobody learns from.

    `frauds_N` covers all orders, as known at `moment` (unix seconds).
    """

    found: ShopOrders
    frauds_N: np.ndarray
    learn: np.ndarray
    test: np.ndarray
    moment: int

    def features(self, rows: np.ndarray, config: FeatureConfig) -> Features:
        """Return the features of these rows, each as of when the order came."""
        return order_features.compute_rows(self.found, rows, config)

    @property
    def is_testable(self) -> bool:
        """Whether there are enough frauds among the test orders."""
        frauds = int(self.frauds_N[self.test].sum())
        return LEAST_FRAUDS <= frauds < len(self.test)


def read(engine: Engine) -> Every:
    """Return all screened orders. Raises `NotEnoughData` if there are none."""
    with engine.connect() as connection:
        found = columns.every(entity_history.every(connection))
    if not len(found.found.at_N):
        raise NotEnoughData("there are no orders to learn from: send some, or `reshelf load --orders` a file of them")
    return found


def known(found: Every, moment: int, config: FeatureConfig) -> np.ndarray:
    """Return which orders have a known outcome at a time: they have a label, or got none for `mature` seconds."""
    by_label_N = (found.found.fraud_at_N <= moment) | (found.labelled_N & (found.labelled_at_N <= moment))
    return np.asarray(by_label_N | (found.found.at_N + config.mature <= moment))


def split(
    found: Every, moment: int, config: FeatureConfig, *, since: int | None = None, learnt: int | None = None
) -> Learnable:
    """Return what to learn from and what to test on.

    With `since` (unix seconds), only orders whose outcome became known after it. Of the newest quarter, half of the
    customers are tested on: always the same half, by a hash of their id. Orders whose outcome was known at `learnt`,
    when the live version was trained, are not tested on.
    """
    is_known_N = known(found, moment, config)
    if since is not None:
        is_known_N &= ~known(found, since, config)
    rows = np.flatnonzero(is_known_N)
    rows = rows[np.lexsort((found.found.tie_N[rows], found.found.at_N[rows]))][-MOST_ROWS:]
    newest = rows[len(rows) - len(rows) // _TESTED_SHARE :]
    test = newest[found.found.customer_N[newest] % _HALF == 0]
    if learnt is not None:
        test = test[~known(found, learnt, config)[test]]
    frauds_N = (found.found.fraud_at_N != NEVER) & (found.found.fraud_at_N <= moment)
    made = Learnable(found.found, frauds_N, np.setdiff1d(rows, test), test, moment)
    return made if made.is_testable else made._replace(learn=rows, test=test[:0])
