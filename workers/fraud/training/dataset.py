"""What training learns from: orders whose truth is known by a moment, and which of them the gate keeps to itself."""

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
"""Orders that one training learns from: the newest of those that are known."""
_TESTED_SHARE = 4  # the newest quarter
_HALF = 2


class Learnable(NamedTuple):
    """Rows of all orders: those to learn from, and those to be tested on, which nobody learns.

    `frauds_N` is of all orders, as it is known at `moment` (unix seconds).
    """

    found: ShopOrders
    frauds_N: np.ndarray
    learn: np.ndarray
    test: np.ndarray
    moment: int

    def features(self, rows: np.ndarray, config: FeatureConfig) -> Features:
        """Return the features of these rows, each as it was when the order came."""
        return order_features.compute_rows(self.found, rows, config)

    @property
    def is_testable(self) -> bool:
        """Whether there are frauds enough among the orders that nobody learns."""
        frauds = int(self.frauds_N[self.test].sum())
        return LEAST_FRAUDS <= frauds < len(self.test)


def read(engine: Engine) -> Every:
    """Return all orders that were looked at. Raises `NotEnoughData` where there are none."""
    with engine.connect() as connection:
        found = columns.every(entity_history.every(connection))
    if not len(found.found.at_N):
        raise NotEnoughData("there are no orders to learn from: send some, or `reshelf load --orders` a file of them")
    return found


def known(found: Every, moment: int, config: FeatureConfig) -> np.ndarray:
    """Return which orders' truth is known at a moment: by a label, or because none came for `mature` seconds."""
    by_label_N = (found.found.fraud_at_N <= moment) | (found.labelled_N & (found.labelled_at_N <= moment))
    return np.asarray(by_label_N | (found.found.at_N + config.mature <= moment))


def split(
    found: Every, moment: int, config: FeatureConfig, *, since: int | None = None, learnt: int | None = None
) -> Learnable:
    """Return what to learn and what to test on.

    With `since` (unix seconds), only what has become known after that. Of the newest quarter, half of the customers are
    tested on: always the same half, by a digest of their id; but on nothing that was known at `learnt`, when what
    serves was trained.
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
