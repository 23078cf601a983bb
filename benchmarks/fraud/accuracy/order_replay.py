"""A replay of past orders, one at a time as they arrived: it shows that online features equal the offline ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from benchmarks.fraud.accuracy.online_features import Book
from model.fraud.features import features
from model.fraud.features.features import FeatureConfig
from model.fraud.features.orders import NEVER, Orders


class Replayed(NamedTuple):
    """Features as each order arrived, and after all late orders had come, and how many were computed again."""

    arrived_NxF: Float64[np.ndarray, "N F"]
    settled_NxF: Float64[np.ndarray, "N F"]
    again: int


def shuffled(found: Orders, *, most: int, seed: int) -> Orders:
    """The orders with random arrivals up to `most` seconds late; `arrived_N` is their rank, from 1."""
    late_N = np.random.default_rng(seed).uniform(0, most, len(found.at_N)) if most else np.zeros(len(found.at_N))
    place_N = np.empty(len(found.at_N), np.int64)
    place_N[np.lexsort((found.tie_N, found.at_N + late_N))] = np.arange(1, len(found.at_N) + 1)
    return found._replace(arrived_N=place_N)


def run(found: Orders, config: FeatureConfig, progress: Callable[[int], object] = lambda _: None) -> Replayed:
    """Feed the orders to a `Book` by `arrived_N`, and each label at its time.

    `progress` is called with how many have arrived, before each.
    """
    book, again = Book(config), 0
    arrived_NxF = np.zeros((len(found.at_N), len(features.NAMES)))
    settled_NxF = np.zeros_like(arrived_NxF)
    place = {int(tie): row for row, tie in enumerate(found.tie_N)}
    labels = _Labels(found)
    online = found._replace(arrived_N=np.zeros_like(found.arrived_N))
    for number, row in enumerate(np.argsort(found.arrived_N).tolist()):
        progress(number)
        order = online.take(slice(row, row + 1))
        labels.deliver(book, int(order.at_N[0]))
        arrived_NxF[row], changed = book.arrive(order)
        settled_NxF[row] = arrived_NxF[row]
        for one in range(len(changed.at_N)):
            again += 1
            settled_NxF[place[int(changed.tie_N[one])]] = book.ask(changed.take(slice(one, one + 1)))
    return Replayed(arrived_NxF, settled_NxF, again)


class _Labels:
    """The labels by the time at which they become known."""

    def __init__(self, found: Orders) -> None:
        rows = np.flatnonzero(found.fraud_at_N != NEVER)
        self._rows: Int64[np.ndarray, " L"] = rows[np.argsort(found.fraud_at_N[rows], kind="stable")]
        self._found = found
        self._next = 0

    def deliver(self, book: Book, now: int) -> None:
        """Pass on all labels that are known by now."""
        while self._next < len(self._rows):
            row = int(self._rows[self._next])
            moment = int(self._found.fraud_at_N[row])
            if moment > now:
                return
            book.label(self._found.take(slice(row, row + 1)), moment)
            self._next += 1
