"""The features of a shop's orders: those of customer and terminal, and of payment, device, IP and address.

An order is linked to others by what it shares with them. For each link, features say how busy it is, whether it is new
to the customer, who else uses it, and what is known of their orders: a fraud there, or a fraud elsewhere of a customer
who was there, which is one step further. As in `features`, functions take asking orders and one entity's past orders,
in any sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from model.fraud.features import features, orders, point_in_time
from model.fraud.features.features import Columns, FeatureConfig, Features
from model.fraud.features.orders import DAY, NEVER
from model.fraud.features.point_in_time import View

LINKS = ("payment", "device", "ip", "address")
"""What links orders of different customers."""
ENTITIES = ("customer", "terminal", *LINKS)
"""The entities by which past orders are found."""

AHEAD = 2**62
"""A time that no order sees, for padding."""

_HOUR = 3600


class ShopOrders(NamedTuple):
    """Orders as in `orders.Orders`, with their links: digests, 0 if none was given.

    `tainted_at_N` is the unix second since when the customer of an order is known for any fraud, else NEVER.
    """

    at_N: Int64[np.ndarray, " N"]
    tie_N: Int64[np.ndarray, " N"]
    arrived_N: Int64[np.ndarray, " N"]
    customer_N: Int64[np.ndarray, " N"]
    terminal_N: Int64[np.ndarray, " N"]
    cents_N: Int64[np.ndarray, " N"]
    fraud_at_N: Int64[np.ndarray, " N"]
    odd_N: Float64[np.ndarray, " N"]
    payment_N: Int64[np.ndarray, " N"]
    device_N: Int64[np.ndarray, " N"]
    ip_N: Int64[np.ndarray, " N"]
    address_N: Int64[np.ndarray, " N"]
    country_N: Int64[np.ndarray, " N"]
    tainted_at_N: Int64[np.ndarray, " N"]

    def take(self, rows: np.ndarray | slice | int) -> ShopOrders:
        """These rows."""
        return ShopOrders(*(column[rows] for column in self))

    def column(self, entity: str) -> Int64[np.ndarray, " N"]:
        """The column of an entity."""
        found: np.ndarray = getattr(self, f"{entity}_N")
        return found


def empty(count: int) -> ShopOrders:
    """`count` empty orders."""
    own = orders.empty(count)
    links = (np.zeros(count, np.int64) for _ in range(5))
    return ShopOrders(*own, *links, np.full(count, NEVER))


def tainted(found: ShopOrders) -> ShopOrders:
    """The orders with `tainted_at_N` filled in: when the first fraud of each order's customer became known."""
    _, dense_N = np.unique(found.customer_N, return_inverse=True)
    first_C = np.full(dense_N.max(initial=-1) + 1, NEVER)
    np.minimum.at(first_C, dense_N, found.fraud_at_N)
    return found._replace(tainted_at_N=first_C[dense_N])


def customer(asking: ShopOrders, past: ShopOrders, config: FeatureConfig) -> Columns:
    """The customer's past: amounts and velocities as in `features`, and what is new to this customer."""
    seen = View(asking, past, horizon=config.customer_horizon, mature=config.mature, most=config.most)
    known_Q = point_in_time.count(seen.seen_QxP)
    found = dict(features.customer(asking, past, config))
    hours_QxP = np.abs(asking.at_N[:, None] % DAY - past.at_N % DAY)
    near_QxP = np.minimum(hours_QxP, DAY - hours_QxP) <= 3 * _HOUR
    found["usual_hour"] = point_in_time.share(point_in_time.count(seen.seen_QxP & near_QxP), known_Q, 0.5)
    found["orders_1h"] = point_in_time.count(seen.within(seen.seen_QxP, _HOUR))
    found["spent_1h"] = point_in_time.total(seen.within(seen.seen_QxP, _HOUR), past.cents_N) / 100
    for name in (*LINKS, "country"):
        own_Qx1 = asking.column(name)[:, None]
        met_Q = point_in_time.count(seen.seen_QxP & (past.column(name) == own_Qx1))
        found[f"new_{name}"] = (met_Q == 0) & (known_Q > 0) & (own_Qx1[:, 0] != 0)
    return found


def link(asking: ShopOrders, past: ShopOrders, config: FeatureConfig) -> Columns:
    """The past of a payment, a device, an IP or an address: how busy, whose, and what is known of those customers."""
    seen = View(asking, past, horizon=config.terminal_horizon, mature=config.mature, most=config.most)
    others_QxP = seen.seen_QxP & (past.customer_N != asking.customer_N[:, None])
    frauds_Q = point_in_time.count(seen.fraud_QxP)
    tainted_QxP = others_QxP & (past.tainted_at_N <= asking.at_N[:, None])
    return {
        "orders_1h": point_in_time.count(seen.within(seen.seen_QxP, _HOUR)),
        "orders_1d": point_in_time.count(seen.within(seen.seen_QxP, DAY)),
        "orders_7d": point_in_time.count(seen.within(seen.seen_QxP, 7 * DAY)),
        "spent_1d": point_in_time.total(seen.within(seen.seen_QxP, DAY), past.cents_N) / 100,
        "age": seen.oldest(seen.seen_QxP) / DAY,
        "customers": distinct(others_QxP, past.customer_N),
        "customers_1d": distinct(seen.within(others_QxP, DAY), past.customer_N),
        "frauds": frauds_Q,
        "risk": point_in_time.share(frauds_Q, frauds_Q + point_in_time.count(seen.genuine_QxP), 0.0),
        "since_fraud": seen.youngest(seen.fraud_QxP, config.terminal_horizon) / DAY,
        "tainted": distinct(tainted_QxP, past.customer_N),
    }


def distinct(mask_QxP: Bool[np.ndarray, "Q P"], values_P: Int64[np.ndarray, " P"]) -> Int64[np.ndarray, " Q"]:
    """The number of distinct values other than 0 under each row of a mask."""
    sorted_QxP = np.sort(np.where(mask_QxP, values_P, 0), axis=1)
    return (sorted_QxP[:, :1] != 0).sum(1) + (np.diff(sorted_QxP, axis=1) != 0).sum(1)


Group = Callable[[ShopOrders, ShopOrders, FeatureConfig], Columns]
GROUPS: Mapping[str, Group] = {
    "customer": customer,
    "terminal": features.terminal,  # it reads only columns that both kinds of orders have
    **dict.fromkeys(LINKS, link),
}
"""The functions that compute the features of each entity."""


def names_of(group: Group) -> tuple[str, ...]:
    """The names of a group's features."""
    return tuple(group(empty(1), empty(1), FeatureConfig()))


_OF_GROUP = {entity: tuple(f"{entity}_{name}" for name in names_of(group)) for entity, group in GROUPS.items()}
_OWN = tuple(features.order(orders.empty(1), FeatureConfig()))
NAMES = (*_OWN, *(name for entity in ENTITIES for name in _OF_GROUP[entity]), "fraud_distance", "shared_links")
"""The names of the features, in the order of the columns."""
ODD = NAMES.index("customer_odd")


def compute_rows(found: ShopOrders, rows: Int64[np.ndarray, " M"], config: FeatureConfig) -> Features:
    """The features of these rows of all orders, each as of when the order came.

    `odd_N` and `tainted_at_N` are filled in.
    """
    asking = found.take(rows)
    return _together(asking, {entity: _asked(entity, asking, found, config) for entity in ENTITIES}, config)


def compute_each(asking: ShopOrders, pasts: Mapping[str, ShopOrders], config: FeatureConfig) -> Features:
    """The same for orders that bring their own past: by entity, columns Q x P with a row for each order.

    A row holds at most `config.most` orders, all before the asking one, and is padded with orders of `AHEAD`.
    """
    parts = {entity: features.stacked(GROUPS[entity](asking, pasts[entity], config)) for entity in ENTITIES[:2]}
    # All links at once: for a few orders, calling a numpy function takes longer than its work.
    every = ShopOrders(*(np.concatenate(columns) for columns in zip(*(pasts[link] for link in LINKS), strict=True)))
    fourfold = ShopOrders(*(np.tile(column, len(LINKS)) for column in asking))
    links_QxF = features.stacked(link(fourfold, every, config))
    parts |= dict(zip(LINKS, np.split(links_QxF, len(LINKS)), strict=True))
    return _together(asking, parts, config)


def oddness(asking: ShopOrders, past: ShopOrders, config: FeatureConfig) -> Float64[np.ndarray, " Q"]:
    """How odd the amounts are for their customers, from orders that include these customers' pasts."""
    return features.asked(features.oddness, asking, asking.customer_N, past, past.customer_N, config, width=1)[:, 0]


def oddness_of_each(asking: ShopOrders, past: ShopOrders, config: FeatureConfig) -> Float64[np.ndarray, " Q"]:
    """The same for orders that bring their customers' pasts, as in `compute_each`."""
    return np.asarray(features.oddness(asking, past, config)["odd"], np.float64)


def _together(asking: ShopOrders, parts: Mapping[str, np.ndarray], config: FeatureConfig) -> Features:
    own_QxF = features.stacked(features.order(asking, config))
    columns = [own_QxF, *(parts[entity] for entity in ENTITIES), _graph(parts)]
    return Features(NAMES, COLUMNS_OF, np.concatenate(columns, axis=1))


def _asked(entity: str, asking: ShopOrders, past: ShopOrders, config: FeatureConfig) -> np.ndarray:
    """An entity's features; an order that names none has the features of an entity without a past."""
    group, width = GROUPS[entity], len(_OF_GROUP[entity])
    given_Q, entity_P = asking.column(entity), past.column(entity)
    found_QxF = np.zeros((len(given_Q), width))
    rows, absent = np.flatnonzero(given_Q != 0), np.flatnonzero(given_Q == 0)
    past_rows = np.flatnonzero(entity_P != 0)
    found_QxF[rows] = features.asked(
        group, asking.take(rows), given_Q[rows], past.take(past_rows), entity_P[past_rows], config, width=width
    )
    if len(absent):
        found_QxF[absent] = features.stacked(group(asking.take(absent), empty(0), config))
    return found_QxF


def _graph(parts: Mapping[str, np.ndarray]) -> Float64[np.ndarray, "Q 2"]:
    """How many steps away a known fraud is (0 to 3, 3: further), and how many links are shared with other customers."""

    def any_link(name: str) -> np.ndarray:
        return np.stack([parts[kind][:, _OF_GROUP[kind].index(f"{kind}_{name}")] > 0 for kind in LINKS], axis=1)

    own_Q = parts["customer"][:, _OF_GROUP["customer"].index("customer_own_frauds")] > 0
    steps_Q = np.where(any_link("tainted").any(1), 2, 3)
    steps_Q = np.where(any_link("frauds").any(1), 1, steps_Q)
    return np.stack([np.where(own_Q, 0, steps_Q), any_link("customers").sum(1)], axis=1).astype(np.float64)


def _columns_of() -> tuple[tuple[int, ...], ...]:
    """The columns of each cause of fraud: the customer with the order itself, the terminal, each link, the graph."""
    place = {name: n for n, name in enumerate(NAMES)}
    first = tuple(place[name] for name in (*_OWN, *_OF_GROUP["customer"]))
    rest = (tuple(place[name] for name in _OF_GROUP[entity]) for entity in ENTITIES[1:])
    return (first, *rest, (place["fraud_distance"], place["shared_links"]))


COLUMNS_OF = _columns_of()
"""The columns of each cause, as `network` takes them."""
