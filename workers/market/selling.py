"""What sells: weekly sales, trends, stock-out risk, and the response to prices."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from model.market import change_points, response, stock_risk, trends
from model.market.response import Estimates
from storage.market.rows import Direction, Forecast, Response, Sale, StockRisk, Trend
from workers.market import data
from workers.market.data import Market, Panel

_PERIOD = 4
_SHOWN = 26
_CHANGED_WITHIN = 52
_DIRECTIONS: dict[int, Direction] = {1: "rising", 0: "steady", -1: "falling"}


def sales(market: Market) -> list[Sale]:
    """Return the weekly units and revenue of the shop, and then of each category."""
    found = []
    for panel in (data.panel(market, level) for level in data.LEVELS[:2]):
        for series, units_W, revenue_W in zip(panel.series, panel.units_SxW, panel.revenue_SxW, strict=True):
            weeks = zip(market.weeks, units_W, revenue_W, strict=True)
            found += [Sale(panel.level, series, week, float(units), float(money)) for week, units, money in weeks]
    return found


def movements(market: Market) -> list[Trend]:
    """Return how each series moves: the shop, its categories, and the items that sold within half a year."""
    return [row for level in data.LEVELS for row in _movements(market, alive(data.panel(market, level)))]


def alive(panel: Panel) -> Panel:
    """Return the series that sold within half a year."""
    sold = panel.units_SxW[:, -_SHOWN:].sum(axis=1) > 0
    names = [name for name, is_sold in zip(panel.series, sold, strict=True) if is_sold]
    columns = (panel.units_SxW, panel.revenue_SxW, panel.prices_SxW)
    return Panel(panel.level, names, *(values[sold] for values in columns))


def _movements(market: Market, panel: Panel) -> Iterator[Trend]:
    if not panel.series or not len(market.weeks):
        return
    total_W = data.panel(market, "total").units_SxW.sum(axis=0)
    units_SxW = panel.units_SxW if panel.level == "total" else _shares(panel.units_SxW, total_W)
    found = trends.of_series(units_SxW)
    starts = change_points.segments(panel.units_SxW)
    titles, categories = market.titles(), market.categories()
    for place, name in enumerate(panel.series):
        units, units_before, revenue = _periods(panel, place)
        changed_on, before, after = _change(panel.units_SxW[place], starts[place], market.weeks)
        is_item = panel.level == "item"
        yield Trend(
            level=panel.level,
            series=name,
            title=titles.get(name, name) if is_item else name,
            category=categories.get(name) if is_item else None,
            units=units,
            units_before=units_before,
            revenue=revenue,
            direction=_DIRECTIONS[int(found.direction_S[place])],
            slope=float(found.slope_S[place]),
            slope_low=float(found.low_S[place]),
            slope_high=float(found.high_S[place]),
            p_value=float(found.p_value_S[place]),
            changed_on=changed_on,
            level_before=before,
            level_after=after,
            recent=panel.units_SxW[place, -_SHOWN:].tolist(),
        )


def _shares(units_SxW: np.ndarray, total_W: np.ndarray) -> np.ndarray:
    """Units as they would be if the shop sold the same every week: a season lifts all, and is nobody's trend."""
    open_W = total_W > 0
    found: np.ndarray = units_SxW[:, open_W] * (total_W[open_W].mean() / total_W[open_W])
    return found


def _periods(panel: Panel, place: int) -> tuple[float, float, float]:
    units_W, revenue_W = panel.units_SxW[place], panel.revenue_SxW[place]
    before = units_W[-2 * _PERIOD : -_PERIOD].sum()
    return float(units_W[-_PERIOD:].sum()), float(before), float(revenue_W[-_PERIOD:].sum())


def _change(
    units_W: np.ndarray, starts_W: np.ndarray, weeks: Sequence[date]
) -> tuple[date | None, float | None, float | None]:
    """Return the week of the last change of level within a year, and the levels before and after it."""
    changes = change_points.changes(starts_W)
    if not changes or len(weeks) - changes[-1] > _CHANGED_WITHIN:
        return None, None, None
    before, start = (changes[-2] if len(changes) > 1 else 0), changes[-1]
    return weeks[start], float(units_W[before:start].mean()), float(units_W[start:].mean())


def stock_risks(market: Market, forecasts: Sequence[Forecast]) -> list[StockRisk]:
    """Return how long the stock of each item lasts, where it is known; the likeliest to end in four weeks first."""
    by_item: dict[str, list[Forecast]] = {}
    for row in forecasts:
        if row.level == "item":
            by_item.setdefault(row.series, []).append(row)
    stocked = market.items.filter(pl.col("stock").is_not_null(), pl.col("item_id").is_in(list(by_item)))
    if not stocked.height:
        return []
    rows = [by_item[item_id] for item_id in stocked["item_id"]]
    weeks = data.weeks_of(rows)
    risk = stock_risk.of_items(stocked["stock"].to_numpy().astype(float), weeks)
    items = zip(stocked.iter_rows(named=True), weeks.mean_IxH, risk.out_IxH, risk.order_I, strict=True)
    found = [_stock_risk(item, mean_H, out_H, order) for item, mean_H, out_H, order in items]
    return sorted(found, key=lambda row: (-row.out_in_4_weeks, -row.weekly_demand, row.item_id))


def _stock_risk(item: dict[str, Any], mean_H: np.ndarray, out_H: np.ndarray, order: float) -> StockRisk:
    stock: int = item["stock"]
    soon, later, last = (float(out_H[min(weeks, len(out_H)) - 1]) for weeks in (2, 4, 8))
    weekly, left = float(mean_H.mean()), _weeks_left(stock, mean_H)
    return StockRisk(
        item["item_id"], item["title"], item["category"], stock, weekly, left, soon, later, last, float(order)
    )


def _weeks_left(stock: int, mean_H: np.ndarray) -> float | None:
    total_H = np.cumsum(mean_H)
    if stock >= total_H[-1]:
        return None
    week = int(np.searchsorted(total_H, stock, side="right"))
    before = total_H[week - 1] if week else 0.0
    return float(week + (stock - before) / mean_H[week])


def responses(market: Market) -> list[Response]:
    """Return how the sales of each item differed with its price, the items with most revenue lately first."""
    panel = alive(data.panel(market, "item"))
    if not panel.series:
        return []
    categories, titles = market.categories(), market.titles()
    names = [categories.get(series) or "" for series in panel.series]
    groups = np.unique(names, return_inverse=True)[1]
    prices = response.carried(panel.prices_SxW)
    elastic = response.elasticities(panel.units_SxW, prices, groups)
    lifted = response.uplifts(panel.units_SxW, prices, groups)
    promoted = response.promoted(prices).sum(axis=1)
    weeks = (~np.isnan(prices)).sum(axis=1)
    columns = zip(panel.series, prices[:, -1], weeks, _intervals(elastic), promoted, _intervals(lifted), strict=True)
    return [
        Response(
            item_id=series,
            title=titles.get(series, series),
            category=categories.get(series),
            price=float(price),
            weeks=int(known),
            elasticity=answer[0],
            elasticity_low=answer[1],
            elasticity_high=answer[2],
            promoted_weeks=int(often),
            uplift=_lifted(lift[0]),
            uplift_low=_lifted(lift[1]),
            uplift_high=_lifted(lift[2]),
        )
        for series, price, known, answer, often, lift in columns
        if not math.isnan(answer[0])
    ]


def _intervals(found: Estimates) -> list[tuple[float, float, float]]:
    return list(zip(found.value_I.tolist(), found.low_I.tolist(), found.high_I.tolist(), strict=True))


def _lifted(logarithm: float) -> float | None:
    return None if math.isnan(logarithm) else math.exp(logarithm)
