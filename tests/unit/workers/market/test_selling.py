"""What sells: series in the order of their revenue, shares that no season moves, and stock in weeks."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from storage.market.rows import Forecast
from tests.support.market import market_of
from workers.market import analysis, data, selling
from workers.market.data import Market

MONDAY = date(2026, 1, 5)
WEEKS = [MONDAY + timedelta(weeks=week) for week in range(40)]


def shop() -> Market:
    """One steady item and one that grows, in a shop with a strong season and a closed week."""
    season = np.where(np.arange(40) == 20, 0, 100 * (1 + 0.7 * np.sin(np.arange(40) / 6))).round()
    grown = (season * np.linspace(0.1, 0.5, 40)).round()
    rows = []
    for week, whole, part in zip(WEEKS, season, grown, strict=True):
        if whole:
            rows += [("item", "steady", week, whole - part, 2 * (whole - part), 2.0)]
            rows += [("item", "grown", week, part, 3 * part, 3.0), ("category", "茶", week, part, 3 * part, None)]
            rows += [("total", "total", week, whole, 2 * whole + part, None)]
    items = [("steady", "Steady", None, 2.0, 500), ("grown", "Grown", "茶", 3.0, None)]
    return market_of(
        weeks=WEEKS,
        demand=pl.DataFrame(rows, schema=data.DEMAND, orient="row"),
        items=pl.DataFrame(items, schema=data.ITEMS, orient="row"),
    )


def test_a_season_is_nobodys_trend() -> None:
    found = {row.series: row for row in selling.movements(shop())}
    assert {name: row.direction for name, row in found.items()} == {
        "total": found["total"].direction,
        "茶": "rising",
        "steady": "falling",
        "grown": "rising",
    }
    assert (found["grown"].title, found["grown"].category, found["茶"].category) == ("Grown", "茶", None)
    assert len(found["grown"].recent) == 26


def test_sales_are_those_of_every_week_and_a_closed_week_is_zero() -> None:
    found = selling.sales(shop())
    assert [(row.level, row.series) for row in found[::40]] == [("total", "total"), ("category", "茶")]
    assert found[20].units == 0
    assert found[0].revenue == 2 * 100 + 10


def test_stock_is_counted_in_weeks_of_what_is_expected() -> None:
    weeks = [WEEKS[-1] + timedelta(weeks=ahead) for ahead in range(1, 9)]
    forecasts = [Forecast("item", "steady", "Steady", week, 100.0, 90.0, 110.0, 85.0, 115.0) for week in weeks]
    [risk] = selling.stock_risks(shop(), forecasts)
    assert (risk.item_id, risk.stock, risk.weekly_demand, risk.weeks_left) == ("steady", 500, 100.0, 5.0)
    assert risk.out_in_2_weeks < 0.01
    assert risk.out_in_8_weeks > 0.99
    assert 300 < risk.order < 400


def test_a_new_shop_is_told_what_is_missing() -> None:
    found = analysis.results(market_of(weeks=WEEKS[:3]))
    assert [len(rows) for rows in found.rows.values()] == [0] * len(found.rows)
    assert found.notes[0].startswith("There are 3 whole weeks of sales")
    assert len(found.notes) == 4
