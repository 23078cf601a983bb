"""Orders as columns, with the time from which each is known to be fraud: the input of the features."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

NEVER = np.iinfo(np.int64).max
"""The time of what has not happened."""
DAY = 86_400


class Orders(NamedTuple):
    """Orders in any sequence.

    All are integers except `odd_N`: their sums are exact, so no feature depends on the sequence.

    An order comes after those of an earlier second, and within one second after those with a lower `tie_N`, a digest of
    its id. It is visible to orders with a later `arrived_N`, on any scale; all 0 if everything arrived in order.
    """

    at_N: Int64[np.ndarray, " N"]  # unix seconds
    tie_N: Int64[np.ndarray, " N"]
    arrived_N: Int64[np.ndarray, " N"]
    customer_N: Int64[np.ndarray, " N"]
    terminal_N: Int64[np.ndarray, " N"]
    cents_N: Int64[np.ndarray, " N"]  # of the currency
    fraud_at_N: Int64[np.ndarray, " N"]  # unix seconds since when it is known to be fraud, NEVER otherwise
    odd_N: Float64[np.ndarray, " N"]  # its amount / its customer's usual amount, once all orders before it had arrived

    def take(self, rows: np.ndarray | slice) -> Orders:
        """These rows."""
        return Orders(*(column[rows] for column in self))


def empty(count: int) -> Orders:
    """`count` empty orders."""
    return Orders(*(np.zeros(count, np.int64) for _ in range(7)), np.zeros(count))


def digests(ids: Iterable[str]) -> Int64[np.ndarray, " N"]:
    """A number for each external id that is the same in every process: the first 63 bits of its BLAKE2b hash."""
    found = (int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1 for text in ids)
    return np.fromiter(found, np.int64)


def in_order(orders: Orders) -> Int64[np.ndarray, " N"]:
    """The positions of the orders by time, then tie."""
    return np.lexsort((orders.tie_N, orders.at_N))


def by_entity(entity_N: Int64[np.ndarray, " N"]) -> Iterator[Int64[np.ndarray, " M"]]:
    """For each entity the positions of its orders."""
    sorted_N = np.argsort(entity_N, kind="stable")
    if not len(sorted_N):
        return
    starts = np.flatnonzero(np.diff(entity_N[sorted_N])) + 1
    yield from np.split(sorted_N, starts)


def joined(parts: Sequence[Orders]) -> Orders:
    """Several as one."""
    return Orders(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
