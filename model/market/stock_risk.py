"""Stock-out risk: how likely the stock ends within the next weeks, and what to order.

Demand until a week is taken as negative binomial with the forecast's mean and spread. Errors of a forecast last: a
series that sells more than expected this week does so next week, too. Weeks are taken as half correlated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

SERVICE = 0.9
"""The chance that an order is to last for all weeks of the forecast."""

_CORRELATION = 0.5
_Z95 = 1.96


class Risk(NamedTuple):
    """The chance that an item's demand exceeds its stock by the end of each week, and the units to order."""

    out_IxH: Float[np.ndarray, "I H"]
    order_I: Float[np.ndarray, " I"]


def of_items(
    stock_I: Float[np.ndarray, " I"],
    mean_IxH: Float[np.ndarray, "I H"],
    low95_IxH: Float[np.ndarray, "I H"],
    high95_IxH: Float[np.ndarray, "I H"],
) -> Risk:
    """Return the risk of each item by its stock and the forecast of its weekly demand, in units."""
    mean = np.cumsum(np.maximum(mean_IxH, 1e-6), axis=1)
    deviation = np.maximum(high95_IxH - low95_IxH, 0) / (2 * _Z95)
    together = np.cumsum(deviation, axis=1) ** 2
    variance = _CORRELATION * together + (1 - _CORRELATION) * np.cumsum(deviation**2, axis=1)
    demand = _negative_binomial(mean, variance)
    needed_I = _negative_binomial(mean[:, -1], variance[:, -1]).ppf(SERVICE)
    out = demand.sf(np.floor(np.maximum(stock_I, 0))[:, None])
    return Risk(out, np.maximum(np.ceil(needed_I - stock_I), 0.0))


def _negative_binomial(mean: np.ndarray, variance: np.ndarray) -> stats.rv_frozen:
    """A variance below the mean's is taken as slightly above: counts vary at least as Poisson's do."""
    variance = np.maximum(variance, 1.001 * mean)
    return stats.nbinom(mean**2 / (variance - mean), mean / variance)
