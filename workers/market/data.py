"""What the analyses work on, whether it comes from the tables or from a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
import polars as pl

from model.market.baskets import Counts
from model.market.horizon import Weeks
from storage.market.rows import Forecast, Level

MOST_ITEMS = 5_000
"""The items with most revenue, which have series of their own."""
MOST_BASKET_ITEMS = 3_000
"""The items in most baskets, of which pairs are counted."""
MOST_TASTES = 20_000
"""Customers whose vectors are looked at."""
MOST_QUERIES = 5_000

DEMAND = {
    "level": pl.String, "series": pl.String, "week": pl.Date, "units": pl.Float64, "revenue": pl.Float64,
    "price": pl.Float64,
}  # fmt: skip
ITEMS = {"item_id": pl.String, "title": pl.String, "category": pl.String, "price": pl.Float64, "stock": pl.Int64}
CUSTOMERS = {"days_since": pl.Float64, "orders": pl.Int64, "amount": pl.Float64}
COHORTS = {"cohort": pl.Date, "age": pl.Int64, "active": pl.Int64}
QUERIES = {
    "query": pl.String, "searches": pl.Int64, "shoppers": pl.Int64, "clicked": pl.Int64, "recent": pl.Int64,
    "found": pl.Int64,
}  # fmt: skip
"""The columns of the frames, in the order in which `storage.market` yields them."""


def weeks_of(rows: Sequence[Sequence[Forecast]]) -> Weeks:
    """Return the forecasts of items, each with its weeks in order, as the arrays that sums of weeks are made of."""
    ends = ("mean", "low80", "high80", "low95", "high95")
    return Weeks(*(np.array([[getattr(one, end) for one in row] for row in rows]) for end in ends))


class Market(NamedTuple):
    """Sums over purchases and searches; the frames have the columns above, and no row of them names a customer.

    `baskets` counts pairs of `basket_items`. `tastes_CxD` are customers' mean vectors, `vectors` those of items.
    """

    through: datetime
    weeks: Sequence[date]
    currency: str | None
    demand: pl.DataFrame
    items: pl.DataFrame
    basket_items: Sequence[str]
    baskets: Counts
    customers: pl.DataFrame
    cohorts: pl.DataFrame
    queries: pl.DataFrame
    tastes_CxD: np.ndarray
    vectors: dict[str, np.ndarray]

    def titles(self) -> dict[str, str]:
        """The title of each item, by its id."""
        return dict(self.items.select("item_id", "title").iter_rows())

    def categories(self) -> dict[str, str | None]:
        """The category of each item, by its id."""
        return dict(self.items.select("item_id", "category").iter_rows())


LEVELS: tuple[Level, ...] = ("total", "category", "item")


class Panel(NamedTuple):
    """The weekly units, revenue and prices of all series of one level, those with most revenue lately first."""

    level: Level
    series: list[str]
    units_SxW: np.ndarray
    revenue_SxW: np.ndarray
    prices_SxW: np.ndarray


def panel(market: Market, level: Level) -> Panel:
    """Return the series of a level; weeks without a purchase are 0, and have no price (NaN)."""
    found = market.demand.filter(level=level)
    names = found["series"].unique(maintain_order=True).to_list()
    shape = (len(names), len(market.weeks))
    rows, columns = _places(found["series"], names), _places(found["week"], market.weeks)
    units, revenue, prices = np.zeros(shape), np.zeros(shape), np.full(shape, np.nan)
    for values, column in ((units, "units"), (revenue, "revenue"), (prices, "price")):
        values[rows, columns] = found[column].to_numpy()
    order = np.argsort(-revenue[:, -4:].sum(axis=1), kind="stable")
    return Panel(level, [names[place] for place in order], units[order], revenue[order], prices[order])


def _places(values: pl.Series, known: Sequence[object]) -> np.ndarray:
    places = {value: place for place, value in enumerate(known)}
    return np.array([places[value] for value in values], int)
