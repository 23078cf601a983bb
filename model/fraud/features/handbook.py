"""The fifteen features of the Fraud-Detection-Handbook, which the baselines use.

After Le Borgne, Siblini, Lebichot and Bontempi 2022, Reproducible Machine Learning for Credit Card Fraud Detection,
chapter 3.4: amount, weekend, night; number and mean amount of the customer's orders over 1, 7 and 30 days, this one
included; number of orders and share of frauds at the terminal over the same windows, shifted by the delay of labels.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from model.fraud.features import features, point_in_time
from model.fraud.features.features import Columns, FeatureConfig
from model.fraud.features.orders import DAY, Orders
from model.fraud.features.point_in_time import View

_WINDOWS = (1, 7, 30)


def compute_all(found: Orders, config: FeatureConfig) -> Float64[np.ndarray, "N F"]:
    """The fifteen features of all orders."""
    groups = [
        features.asked(_customer, found, found.customer_N, found, found.customer_N, config),
        features.asked(_terminal, found, found.terminal_N, found, found.terminal_N, config),
    ]
    own = features.order(found, config)
    asked_NxF = features.stacked({name: own[name] for name in ("amount", "weekend", "night")})
    return np.concatenate([asked_NxF, *groups], axis=1)


def _customer(asking: Orders, past: Orders, config: FeatureConfig) -> Columns:
    seen = View(asking, past, horizon=_WINDOWS[-1] * DAY, mature=config.mature)
    found = {}
    for days in _WINDOWS:
        recent_QxP = seen.seen_QxP & (seen.age_QxP < days * DAY)
        count_Q = point_in_time.count(recent_QxP) + 1
        found[f"count_{days}"] = count_Q
        found[f"mean_{days}"] = (point_in_time.total(recent_QxP, past.cents_N) + asking.cents_N) / count_Q / 100
    return found


def _terminal(asking: Orders, past: Orders, config: FeatureConfig) -> Columns:
    seen = View(asking, past, horizon=config.mature + _WINDOWS[-1] * DAY, mature=config.mature)
    found = {}
    for days in _WINDOWS:
        judged_QxP = seen.seen_QxP & (seen.age_QxP >= config.mature) & (seen.age_QxP < config.mature + days * DAY)
        count_Q = point_in_time.count(judged_QxP)
        found[f"count_{days}"] = count_Q
        found[f"risk_{days}"] = point_in_time.share(point_in_time.count(judged_QxP & seen.fraud_QxP), count_Q, 0.0)
    return found
