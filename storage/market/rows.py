"""The rows of the analyses' results: a Struct for each table, whose fields are the table's columns.

Weeks are Mondays; units are pieces, money is in the shop's currency, shares are between 0 and 1. No row names a
customer.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

import msgspec

_Note = msgspec.Meta

Level = Literal["item", "category", "total"]
Direction = Literal["rising", "falling", "steady"]
Series = Annotated[str, _Note(description="The item's id, the category, or `total`.")]
Share = Annotated[float, _Note(description="Between 0 and 1.")]
Chance = Annotated[float, _Note(description="The chance of a difference this large if there is none.")]


class Sale(msgspec.Struct, frozen=True):
    """What a category, or the whole shop, sold in a week."""

    level: Level
    series: Series
    week: date
    units: float
    revenue: float


class Forecast(msgspec.Struct, frozen=True):
    """The units that a series is expected to sell in a week, with 80 % and 95 % intervals."""

    level: Level
    series: Series
    title: str
    week: date
    mean: float
    low80: float
    high80: float
    low95: float
    high95: float


class Trend(msgspec.Struct, frozen=True):
    """How a series moves. The slope of an item or a category is that of its share of all units sold."""

    level: Level
    series: Series
    title: str
    category: str | None
    units: Annotated[float, _Note(description="Of the last four weeks.")]
    units_before: Annotated[float, _Note(description="Of the four weeks before.")]
    revenue: Annotated[float, _Note(description="Of the last four weeks.")]
    direction: Direction
    slope: Annotated[float, _Note(description="Change per week over 26 weeks, as a share of the level.")]
    slope_low: Annotated[float, _Note(description="Lower end of its 90 % interval.")]
    slope_high: float
    p_value: Chance
    changed_on: Annotated[date | None, _Note(description="The week at which the present level began.")]
    level_before: Annotated[float | None, _Note(description="Units per week before that.")]
    level_after: Annotated[float | None, _Note(description="Units per week since.")]
    recent: Annotated[list[float], _Note(description="Units of up to 26 weeks, the last one last.")]


class Pair(msgspec.Struct, frozen=True):
    """An item that is bought with another more often than by chance."""

    item_id: str
    title: str
    partner_id: str
    partner_title: str
    baskets: Annotated[int, _Note(description="With both.")]
    support: Annotated[float, _Note(description="Their share of all baskets.")]
    confidence: Annotated[float, _Note(description="The share of the item's baskets that hold the partner.")]
    lift: Annotated[float, _Note(description="How many times as often as by chance.")]
    lift_low: Annotated[float, _Note(description="Lower end of its 95 % interval.")]
    p_value: Chance


class Segment(msgspec.Struct, frozen=True):
    """A segment of customers, and what they have in common."""

    method: Annotated[Literal["rfm", "taste"], _Note(description="By recency, frequency, money; or by vectors.")]
    segment: str
    description: str
    customers: int
    share: Annotated[float, _Note(description="Of all customers that were looked at.")]
    revenue_share: float | None
    orders: Annotated[float | None, _Note(description="Median for each customer.")]
    amount: Annotated[float | None, _Note(description="Median money for each customer.")]
    days_since: Annotated[float | None, _Note(description="Median days since the last order.")]


class Cohort(msgspec.Struct, frozen=True):
    """Of the customers who first bought in a month, how many bought in a later one."""

    cohort: Annotated[date, _Note(description="The first day of the month of the first order.")]
    age: Annotated[int, _Note(description="Months since then.")]
    customers: int
    active: int
    retention: Share
    low: Annotated[float, _Note(description="Lower end of a 95 % interval.")]
    high: float


class Query(msgspec.Struct, frozen=True):
    """A query that shoppers do not find what they want with."""

    query: str
    reason: Literal["nothing found", "nothing clicked"]
    searches: Annotated[int, _Note(description="Of eight weeks.")]
    shoppers: int
    clicked: Annotated[float, _Note(description="The share of its searches with a click.")]
    found: Annotated[int | None, _Note(description="Items that the kept answer has; null if none is kept.")]
    recent: Annotated[int, _Note(description="Searches of the last two weeks.")]
    growth: Annotated[float, _Note(description="How many times as often as before.")]
    p_value: Chance


class StockRisk(msgspec.Struct, frozen=True):
    """How long an item's stock lasts, by the forecast of its demand."""

    item_id: str
    title: str
    category: str | None
    stock: int
    weekly_demand: float
    weeks_left: Annotated[float | None, _Note(description="By the expected demand; null beyond the forecast.")]
    out_in_2_weeks: Annotated[float, _Note(description="The chance that demand exceeds the stock.")]
    out_in_4_weeks: float
    out_in_8_weeks: float
    order: Annotated[float, _Note(description="Units with which it lasts eight weeks at a chance of 90 %.")]


class Response(msgspec.Struct, frozen=True):
    """How an item's sales differed with its price. It describes the past, and is no promise: prices have reasons."""

    item_id: str
    title: str
    category: str | None
    price: Annotated[float, _Note(description="The last one paid.")]
    weeks: int
    elasticity: Annotated[float, _Note(description="Per cent of units for one per cent of price.")]
    elasticity_low: Annotated[float, _Note(description="Lower end of its 90 % interval.")]
    elasticity_high: float
    promoted_weeks: int
    uplift: Annotated[float | None, _Note(description="How many times as many units in promoted weeks.")]
    uplift_low: float | None
    uplift_high: float | None


Row: TypeAlias = Sale | Forecast | Trend | Pair | Segment | Cohort | Query | StockRisk | Response
