"""The histories of customers and terminals, updated order by order: what a shop stores to compute features online.

In memory here; a database with the same rows by customer and by terminal would do as well. Orders may arrive late and
shuffled. The features of an order use what has arrived by then; an order that comes late changes the features of later
orders of its customer and its terminal, and `arrive` returns those. Asked again, they have the features that they would
have had in order, if labels come later than orders can be late.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from model.fraud.features import features, orders
from model.fraud.features.features import FeatureConfig
from model.fraud.features.orders import NEVER, Orders

_ROOM = 8
_ODD = features.NAMES.index("customer_odd")
# How late an order may be and still find all earlier orders.
_LATENESS = 86_400


class Arrival(NamedTuple):
    """An order's features as it arrived, and the orders whose features it changed."""

    values_F: Float64[np.ndarray, " F"]
    changed: Orders


class Book:
    """The orders so far, by customer and by terminal."""

    def __init__(self, config: FeatureConfig) -> None:
        self._config = config
        self._customers: dict[int, _Past] = {}
        self._terminals: dict[int, _Past] = {}

    def arrive(self, order: Orders) -> Arrival:
        """Return the features of one order with what has arrived before it; then add it to the history."""
        values_F = self.ask(order)
        found = order._replace(odd_N=values_F[_ODD : _ODD + 1])
        pasts = self._pasts(order)
        is_newest = all(past.newest < int(order.at_N[0]) for past in pasts)
        for past in pasts:
            past.add(found)
        return Arrival(values_F, orders.empty(0) if is_newest else self._changed(found))

    def _changed(self, order: Orders) -> Orders:
        of_customer, of_terminal = self._pasts(order)
        self._settle(of_customer.later_than(order))
        later = orders.joined([past.later_than(order) for past in (of_customer, of_terminal)])
        _, first = np.unique(later.tie_N, return_index=True)
        return later.take(first)

    def ask(self, order: Orders) -> Float64[np.ndarray, " F"]:
        """Return the features of one order with what has arrived so far, without itself."""
        of_customer, of_terminal = self._pasts(order)
        return features.compute_one(order, of_customer.rows, of_terminal.rows, self._config).values_NxF[0]

    def label(self, order: Orders, moment: int) -> None:
        """Record that an order that has arrived is known to be fraud since `moment`, in unix seconds."""
        for past in self._pasts(order):
            past.rows.fraud_at_N[past.where(order)] = moment

    def _pasts(self, order: Orders) -> tuple[_Past, _Past]:
        customer, terminal = int(order.customer_N[0]), int(order.terminal_N[0])
        longest = self._config.longest + _LATENESS
        return (
            self._customers.setdefault(customer, _Past(longest)),
            self._terminals.setdefault(terminal, _Past(longest)),
        )

    def _oddness(self, asking: Orders) -> Float64[np.ndarray, " N"]:
        past = self._customers[int(asking.customer_N[0])].rows
        return np.asarray(features.oddness(asking, past, self._config)["odd"], np.float64)

    def _settle(self, later: Orders) -> None:
        """Compute again the oddness of a customer's orders after an order that came late."""
        for row in range(len(later.at_N)):
            order = later.take(slice(row, row + 1))
            odd = self._oddness(order)
            for past in self._pasts(order):
                past.rows.odd_N[past.where(order)] = odd


class _Past:
    """One entity's orders, as they arrived; those too old to count are dropped when space runs out."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._room = orders.empty(_ROOM)
        self._count = 0
        self.newest = 0  # unix seconds

    @property
    def rows(self) -> Orders:
        """Its orders: views, which may be written to."""
        return self._room.take(slice(0, self._count))

    def add(self, order: Orders) -> None:
        """Add one more, not known to be fraud."""
        if self._count == len(self._room.at_N):
            self._make_room(int(order.at_N[0]))
        for column, value in zip(self._room, order._replace(fraud_at_N=np.array([NEVER])), strict=True):
            column[self._count] = value[0]
        self._count += 1
        self.newest = max(self.newest, int(order.at_N[0]))

    def later_than(self, order: Orders) -> Orders:
        """Those placed after an order, whenever they arrived."""
        rows = self.rows
        later_P = (rows.at_N > order.at_N) | ((rows.at_N == order.at_N) & (rows.tie_N > order.tie_N))
        return rows.take(np.flatnonzero(later_P))

    def where(self, order: Orders) -> np.ndarray:
        """The index of an order."""
        return np.flatnonzero(self.rows.tie_N == order.tie_N)

    def _make_room(self, now: int) -> None:
        rows = self.rows
        kept = rows.take(np.flatnonzero(rows.at_N >= now - self._longest))
        self._count = len(kept.at_N)
        self._room = orders.joined([kept, orders.empty(max(_ROOM, self._count))])
