"""What was observed: units and prices of each item, week by week.

A week in which an item could not be had is no observation: nobody could buy it, at whatever price.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from io import BytesIO
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool
from sqlalchemy import Connection

from model.pricing.history import History
from storage.market import demand
from storage.market.demand import Span
from storage.pricing import availability, decisions, facts

MOST_ITEMS = 2_000

# Less than a day of seven away is nearly a whole week.
_AWAY_DAYS = 1.0
# A look takes a moment to be applied.
_CHOSEN_DAYS = 6.9


def read(connection: Connection, span: Span) -> tuple[Sequence[Any], History]:
    """Return the priced items that were bought, and what they sold by week, NaN for weeks that were not observed."""
    text = b"".join(demand.weekly_csv(connection, span, most_items=MOST_ITEMS))
    weekly = pl.read_csv(BytesIO(text), schema_overrides={"series": pl.String, "week": pl.Date}).filter(level="item")
    items = facts.items(connection, sorted(set(weekly["series"])))
    places = {row.item_id: n for n, row in enumerate(items)}
    weeks = {week: t for t, week in enumerate(span.weeks)}
    shape = len(items), len(weeks)
    units_NxT, price_NxT = np.zeros(shape), np.full(shape, np.nan)
    for _, series, week, units, _, price in weekly.iter_rows():
        if series in places and week in weeks:
            units_NxT[places[series], weeks[week]] = units
            price_NxT[places[series], weeks[week]] = np.nan if price is None else price
    sold_NxT = units_NxT > 0.0
    units_NxT[_before_launch(items, span.weeks, sold_NxT)] = np.nan
    for row in availability.away(connection, list(places), span.since, span.until):
        if row.days >= _AWAY_DAYS:
            units_NxT[places[row.item_id], weeks[row.week]] = np.nan
    chosen_NxT = np.zeros(shape, bool)
    for row in decisions.chosen(connection, list(places), span.since, span.until):
        chosen_NxT[places[row.item_id], weeks[row.week]] = row.days >= _CHOSEN_DAYS
    price_NxT = _carried(price_NxT, np.array([row.price for row in items]))
    # Costs are known as of now: enough for guardrails and margins, and nothing about what moved the price before.
    unknown_NxT = np.full(shape, np.nan)
    history = History(
        units_NxT,
        price_NxT,
        unknown_NxT,
        unknown_NxT,
        np.zeros(shape),
        np.zeros(shape[1], int),
        chosen_NxT,
    )
    return items, history


def _before_launch(
    items: Sequence[Any], weeks: Sequence[date], sold_NxT: Bool[np.ndarray, "N T"]
) -> Bool[np.ndarray, "N T"]:
    """Return the weeks that begin before an item was announced, or was first sold if that was earlier.

    The week of the first sale is one of them, because nobody knows on which of its days the item came; but not the
    first week of all: what sold in it may have been there for long.
    """
    found_NxT = np.zeros_like(sold_NxT)
    for n, row in enumerate(items):
        begins = np.array([datetime.combine(week, time(), UTC) < row.announced_at if row.announced_at else True
                           for week in weeks])  # fmt: skip
        first = int(sold_NxT[n].argmax())
        begins[first + (first > 0) :] = False
        found_NxT[n] = begins
    return found_NxT


def _carried(price_NxT: np.ndarray, now_N: np.ndarray) -> np.ndarray:
    """Return the prices where weeks without a sale have that of the week before, or the next one's."""
    carried = pl.DataFrame(price_NxT.T).fill_nan(None).fill_null(strategy="forward").fill_null(strategy="backward")
    filled_NxT = carried.to_numpy().T
    return np.where(np.isnan(filled_NxT), now_N[:, None], filled_NxT)
