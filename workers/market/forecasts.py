"""Weekly forecasts of the shop, its categories and its items, which add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np

from model.market.forecast import forecasting
from storage.market import demand
from storage.market.rows import Forecast, Level
from workers.market import data, selling
from workers.market.data import Market

WEEKS = 8
"""Weeks ahead."""

_NO_CATEGORY = ""


def least_weeks() -> int:
    """Return how many whole weeks a forecast needs."""
    return forecasting.least_weeks(WEEKS)


def weekly(market: Market, *, seed: int = 0) -> list[Forecast]:
    """Return the expected units of the next weeks: of the shop, of categories, and of items that sold in half a year.

    None if there are fewer than `least_weeks` weeks.
    """
    items = selling.alive(data.panel(market, "item"))
    if len(market.weeks) < least_weeks() or not items.series:
        return []
    categories = market.categories()
    groups = [categories.get(series) or _NO_CATEGORY for series in items.series]
    rest_groups, rest_SxW = _rests(market, groups, items.units_SxW)
    units = np.concatenate([items.units_SxW, rest_SxW])
    found = forecasting.levels(units, WEEKS, seed=seed, groups_S=np.array([*groups, *rest_groups]))
    named = sorted({*groups, *rest_groups})
    return [
        *_rows(market, "total", [demand.TOTAL], found.total),
        *(row for row in _rows(market, "category", named, found.category) if row.series != _NO_CATEGORY),
        *_rows(market, "item", items.series, found.item),
    ]


def _rests(market: Market, groups: Sequence[str], units_SxW: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return what each category sold beside these items, so that what is forecast adds up to all that is sold."""
    panel, total = data.panel(market, "category"), data.panel(market, "total").units_SxW.sum(axis=0)
    whole = dict(zip(panel.series, panel.units_SxW, strict=True))
    whole[_NO_CATEGORY] = total - panel.units_SxW.sum(axis=0)
    rests = {group: units_W - _sum(groups, units_SxW, group) for group, units_W in whole.items()}
    kept = {group: np.maximum(rest_W, 0.0) for group, rest_W in rests.items() if rest_W.max(initial=0.0) > 1e-6}
    return list(kept), np.array(list(kept.values())).reshape(-1, units_SxW.shape[1])


def _sum(groups: Sequence[str], units_SxW: np.ndarray, group: str) -> np.ndarray:
    members = [place for place, one in enumerate(groups) if one == group]
    total: np.ndarray = units_SxW[members].sum(axis=0)
    return total


def _rows(market: Market, level: Level, series: Sequence[str], found: forecasting.Forecast) -> Iterator[Forecast]:
    """Yield the rows of these series, which come first in the forecast."""
    titles = market.titles() if level == "item" else {}
    weeks = [market.weeks[-1] + timedelta(weeks=ahead) for ahead in range(1, WEEKS + 1)]
    for place, one in enumerate(series):
        columns = (values[place].tolist() for values in found)
        for week, *figures in zip(weeks, *columns, strict=True):
            yield Forecast(level, one, titles.get(one, one), week, *figures)
