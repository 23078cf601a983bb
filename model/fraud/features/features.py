"""The features of orders: one engine for a whole file and for one order at a time.

An order is described by what its customer and its terminal (the merchant, or the till) were known to have done when it
came. `customer` and `terminal` take the asking orders and one entity's past orders, in any sequence, and read no other
state: a shop keeps an entity's past orders where it likes and asks for one order; `compute_all` asks for all orders of
an entity at once. A label counts from the time when it became known; an order older than `FeatureConfig.mature` without
a label counts as genuine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from model.fraud.features import orders, point_in_time
from model.fraud.features.orders import DAY, Orders
from model.fraud.features.point_in_time import View

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class FeatureConfig:
    """Times in seconds."""

    mature: int = 7 * DAY  # after this long without a fraud label an order counts as genuine
    customer_horizon: int = 90 * DAY
    terminal_horizon: int = 60 * DAY
    outlier: float = 2.5  # times the customer's usual amount
    most: int = 0  # newest orders of an entity that are read; 0: all
    pairs: int = 2_000_000  # compared at once, which bounds memory

    @property
    def longest(self) -> int:
        """How long an entity's past orders have to be kept."""
        return max(self.customer_horizon, self.terminal_horizon)


def order(asking: Orders, config: FeatureConfig) -> Columns:
    """The features of the order itself: amount, hour, day of the week (UTC)."""
    hour_Q = asking.at_N % DAY // 3600
    weekday_Q = (asking.at_N // DAY + 3) % 7  # 1970-01-01 was a Thursday
    return {
        "amount": asking.cents_N / 100,
        "hour": hour_Q,
        "night": hour_Q <= 6,
        "weekend": weekday_Q >= 5,
    }


def usual(seen: View, clean_QxP: point_in_time.Mask, config: FeatureConfig) -> Float64[np.ndarray, " Q"]:
    """The customer's usual amount in cents: the mean without outliers (judged by the median); 0 if none is known."""
    limit_Q = config.outlier * seen.median(clean_QxP)
    ordinary_QxP = clean_QxP & (seen.past.cents_N <= limit_Q[:, None])
    return point_in_time.share(
        point_in_time.total(ordinary_QxP, seen.past.cents_N), point_in_time.count(ordinary_QxP), 0.0
    )


def oddness(asking: Orders, past: Orders, config: FeatureConfig) -> Columns:
    """Only how odd the amounts are for the customer: amount / usual amount, 1 if none is known yet."""
    seen = View(asking, past, horizon=config.customer_horizon, mature=config.mature, most=config.most)
    usual_Q = usual(seen, seen.seen_QxP & ~seen.fraud_QxP, config)
    return {"odd": point_in_time.share(asking.cents_N, usual_Q, 1.0)}


def customer(asking: Orders, past: Orders, config: FeatureConfig) -> Columns:
    """The order compared with its customer's past: amounts, velocities, outliers without a label yet, own frauds."""
    seen = View(asking, past, horizon=config.customer_horizon, mature=config.mature, most=config.most)
    clean_QxP = seen.seen_QxP & ~seen.fraud_QxP
    usual_Q = usual(seen, clean_QxP, config)
    cents_Qx1 = asking.cents_N[:, None]
    known_Q = point_in_time.count(clean_QxP)
    found = {
        "odd": point_in_time.share(asking.cents_N, usual_Q, 1.0),
        "usual": usual_Q / 100,
        "known": np.minimum(known_Q, 50),
        "to_median": point_in_time.share(asking.cents_N, seen.median(clean_QxP), 1.0),
        "to_largest": point_in_time.share(asking.cents_N, _largest(past, clean_QxP), 1.0),
        "larger_share": point_in_time.share(point_in_time.count(clean_QxP & (past.cents_N >= cents_Qx1)), known_Q, 0.5),
        "new_terminal": point_in_time.count(seen.seen_QxP & (past.terminal_N == asking.terminal_N[:, None])) == 0,
        "since_last": seen.youngest(seen.seen_QxP, config.customer_horizon) / DAY,
    }
    for days in (1, 7, 28):
        recent_QxP = seen.within(clean_QxP, days * DAY)
        spent_Q, count_Q = point_in_time.total(recent_QxP, past.cents_N), point_in_time.count(recent_QxP)
        found[f"orders_{days}d"] = point_in_time.count(seen.within(seen.seen_QxP, days * DAY)) / days
        found[f"to_mean_{days}d"] = point_in_time.share(asking.cents_N * count_Q, spent_Q, 1.0)
    return {**found, **_outliers(seen, clean_QxP, usual_Q, config), **_own_frauds(seen, config)}


def _largest(past: Orders, mask_QxP: point_in_time.Mask) -> Int64[np.ndarray, " Q"]:
    cents_QxP = np.broadcast_to(past.cents_N, mask_QxP.shape)
    return np.max(cents_QxP, axis=1, initial=0, where=mask_QxP)


def _outliers(seen: View, clean_QxP: point_in_time.Mask, usual_Q: np.ndarray, config: FeatureConfig) -> Columns:
    """Amounts far above the usual one that are too recent for a label: a stolen card is used more than once."""
    open_QxP = clean_QxP & ~seen.genuine_QxP
    ratio_QxP = point_in_time.share(np.broadcast_to(seen.past.cents_N, open_QxP.shape), usual_Q[:, None], 0.0)
    far_QxP = open_QxP & (ratio_QxP > config.outlier)
    return {
        "open_outliers": point_in_time.count(far_QxP),
        "open_doubtful": point_in_time.count(open_QxP & (ratio_QxP > 0.75 * config.outlier)),
        "open_outliers_3d": point_in_time.count(seen.within(far_QxP, 3 * DAY)),
        "open_largest": np.max(ratio_QxP, axis=1, initial=0.0, where=open_QxP),
        "open_share": point_in_time.share(point_in_time.count(far_QxP), point_in_time.count(open_QxP), 0.0),
        "since_outlier": seen.youngest(far_QxP, config.mature) / DAY,
    }


def _own_frauds(seen: View, config: FeatureConfig) -> Columns:
    return {
        "own_frauds": point_in_time.count(seen.fraud_QxP),
        "own_frauds_14d": point_in_time.count(seen.within(seen.fraud_QxP, config.mature + 7 * DAY)),
        "own_since_fraud": seen.youngest(seen.fraud_QxP, config.customer_horizon) / DAY,
    }


def terminal(asking: Orders, past: Orders, config: FeatureConfig) -> Columns:
    """What is known of the terminal: its frauds among orders with a known outcome, and a current run of frauds."""
    seen = View(asking, past, horizon=config.terminal_horizon, mature=config.mature, most=config.most)
    found = {}
    for days in (1, 7, 14, 28):
        window = config.mature + days * DAY
        frauds_Q = point_in_time.count(seen.within(seen.fraud_QxP, window))
        judged_Q = frauds_Q + point_in_time.count(seen.within(seen.genuine_QxP, window))
        found[f"frauds_{days}d"] = frauds_Q
        found[f"risk_{days}d"] = point_in_time.share(frauds_Q, judged_Q, 0.0)
    found["at_terminal_7d"] = point_in_time.count(seen.within(seen.seen_QxP, 7 * DAY)) / 7
    return {**found, **_run(asking, seen, config)}


def _run(asking: Orders, seen: View, config: FeatureConfig) -> Columns:
    """The frauds since the last genuine order. A fraud whose amount explains it says nothing about the terminal."""
    horizon, past = config.terminal_horizon, seen.past
    blamed_QxP = seen.fraud_QxP & (past.odd_N < config.outlier)
    since_genuine_Q = seen.youngest(seen.genuine_QxP, horizon)
    run_QxP = blamed_QxP & (seen.age_QxP < since_genuine_Q[:, None])
    count_Q = point_in_time.count(run_QxP)
    first_Q = seen.oldest(run_QxP)
    return {
        "run": count_Q,
        "run_age": first_Q / DAY,
        "run_days": np.where(count_Q > 0, asking.at_N // DAY - (asking.at_N - first_Q) // DAY, 0),
        "run_longest": np.where(count_Q > 0, since_genuine_Q, 0) / DAY,
        "run_newest": seen.youngest(run_QxP, horizon) / DAY,
        "run_least_amount": _least(past.cents_N, run_QxP) / 100,
        "run_least_odd": _least(past.odd_N, run_QxP),
        "run_odd_frauds": point_in_time.count(seen.within(seen.fraud_QxP & ~blamed_QxP, config.mature + 14 * DAY)),
        "since_genuine": since_genuine_Q / DAY,
        "since_blamed": seen.youngest(blamed_QxP, horizon) / DAY,
        "blamed": point_in_time.count(blamed_QxP),
        "genuine_after": point_in_time.count(
            seen.genuine_QxP & (seen.age_QxP < seen.youngest(blamed_QxP, horizon)[:, None])
        ),
    }


def _least(values_P: np.ndarray, mask_QxP: point_in_time.Mask) -> np.ndarray:
    values_QxP = np.broadcast_to(values_P, mask_QxP.shape)
    most = np.array(2**31, values_P.dtype)
    least_Q = np.min(values_QxP, axis=1, initial=most, where=mask_QxP)
    return np.where(mask_QxP.any(1), least_Q, 0)


Group = Callable[[Orders, Orders, FeatureConfig], Columns]


class Features(NamedTuple):
    """Features of orders, by name; `groups` are the columns of the customer (with the order's own) and the terminal."""

    names: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]
    values_NxF: Float64[np.ndarray, "N F"]

    def take(self, rows: np.ndarray) -> Features:
        """These rows."""
        return self._replace(values_NxF=self.values_NxF[rows])


def compute_all(found: Orders, config: FeatureConfig) -> tuple[Orders, Features]:
    """The features of all orders, each as of when the order came, and the orders with `odd_N` filled in."""
    found = found._replace(odd_N=settled_oddness(found, config))
    by_customer = asked(customer, found, found.customer_N, found, found.customer_N, config)
    by_terminal = asked(terminal, found, found.terminal_N, found, found.terminal_N, config)
    return found, together(found, by_customer, by_terminal, config)


def settled_oddness(found: Orders, config: FeatureConfig) -> Float64[np.ndarray, " N"]:
    """`odd_N` once all orders have arrived."""
    settled = found._replace(arrived_N=np.zeros_like(found.arrived_N))
    return asked(oddness, settled, settled.customer_N, settled, settled.customer_N, config)[:, 0]


def together(
    asking: Orders,
    customer_QxF: Float64[np.ndarray, "Q F"],
    terminal_QxF: Float64[np.ndarray, "Q F"],
    config: FeatureConfig,
) -> Features:
    """The columns of all groups, concatenated."""
    own_QxF = stacked(order(asking, config))
    values_NxF = np.concatenate([own_QxF, customer_QxF, terminal_QxF], axis=1)
    split = own_QxF.shape[1] + customer_QxF.shape[1]
    return Features(NAMES, (tuple(range(split)), tuple(range(split, len(NAMES)))), values_NxF)


def compute_one(asking: Orders, customer_past: Orders, terminal_past: Orders, config: FeatureConfig) -> Features:
    """The features of orders of one customer at one terminal, from the stored past of both."""
    by_customer, by_terminal = customer(asking, customer_past, config), terminal(asking, terminal_past, config)
    return together(asking, stacked(by_customer), stacked(by_terminal), config)


def stacked(columns: Columns) -> Float64[np.ndarray, "Q F"]:
    """The columns as one array."""
    return np.stack([np.asarray(column, np.float64) for column in columns.values()], axis=1)


def asked(
    group: Group,
    asking: Orders,
    entity_Q: np.ndarray,
    past: Orders,
    entity_P: np.ndarray,
    config: FeatureConfig,
    *,
    width: int | None = None,
) -> Float64[np.ndarray, "Q F"]:
    """A group's features of all asking orders, each from its own entity's past; `width` is the number of features."""
    found_QxF = np.zeros((len(asking.at_N), len(_names(group)) if width is None else width))
    pasts = {int(entity_P[rows[0]]): rows for rows in orders.by_entity(entity_P)}
    nothing = np.zeros(0, np.int64)
    for rows in orders.by_entity(entity_Q):
        own = past.take(pasts.get(int(entity_Q[rows[0]]), nothing))
        step = max(config.pairs // max(len(own.at_N), 1), 1)
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            found_QxF[part] = stacked(group(asking.take(part), own, config))
    return found_QxF


def _names(group: Group) -> tuple[str, ...]:
    return tuple(group(orders.empty(1), orders.empty(1), FeatureConfig()))


NAMES = (
    *order(orders.empty(1), FeatureConfig()),
    *(f"customer_{name}" for name in _names(customer)),
    *(f"terminal_{name}" for name in _names(terminal)),
)
"""The names of the features, in the order of the columns."""
