"""Weekly forecasts of the shop, its categories and its items."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from model.market import smoothing
from storage.market.rows import Forecast
from workers.market import data, selling
from workers.market.data import Market, Panel

WEEKS = 8
"""Weeks ahead."""
LEAST_WEEKS = 13
"""Fewest weeks of a past that is forecast."""


def weekly(market: Market, *, seed: int = 0) -> list[Forecast]:
    """Return the expected units of the next weeks: of the shop, of categories, and of items that sold in half a year.

    None if there are fewer than `LEAST_WEEKS` weeks.
    """
    if len(market.weeks) < LEAST_WEEKS:
        return []
    panels = [selling.alive(data.panel(market, level)) for level in data.LEVELS]
    return [row for panel in panels if panel.series for row in _forecast(market, panel)]


def _forecast(market: Market, panel: Panel) -> Iterator[Forecast]:
    titles = market.titles() if panel.level == "item" else {}
    weeks = [market.weeks[-1] + timedelta(weeks=ahead) for ahead in range(1, WEEKS + 1)]
    found = smoothing.forecast(panel.units_SxW, WEEKS)
    for place, series in enumerate(panel.series):
        columns = (values[place].tolist() for values in found)
        for week, *figures in zip(weeks, *columns, strict=True):
            yield Forecast(panel.level, series, titles.get(series, series), week, *figures)
