"""Stock-out risk: how likely the stock ends within the next weeks, and what to order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from model.market import horizon
from model.market.horizon import Weeks

SERVICE = 0.9
"""The chance that an order is to last for all weeks of the forecast."""


class Risk(NamedTuple):
    """The chance that an item's demand exceeds its stock by the end of each week, and the units to order."""

    out_IxH: Float[np.ndarray, "I H"]
    order_I: Float[np.ndarray, " I"]


def of_items(stock_I: Float[np.ndarray, " I"], weeks: Weeks) -> Risk:
    """Return the risk of each item by its stock and the forecast of its weekly demand, in units."""
    demand = horizon.demand(weeks)
    out = demand.sf(np.floor(np.maximum(stock_I, 0))[:, None])
    return Risk(out, np.maximum(np.ceil(demand.ppf(SERVICE)[:, -1] - stock_I), 0.0))
