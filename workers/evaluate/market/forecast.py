"""Offline evaluation of demand forecasts: all learn from the whole weeks before a date, and predict those after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from model import metrics
from model.errors import DataError
from model.market.forecast import forecasting, hierarchy
from model.market.forecast.forecasting import Forecast
from workers.evaluate import reports
from workers.evaluate.market import baselines
from workers.evaluate.market.demand import Demand

OURS = "reshelf"
LEVELS = ("item", "category", "total")
HEADER = ("series", "week", "mean", "low80", "high80", "low95", "high95")

_PACKAGES = ("jax", "optax", "lightgbm", "numpy")
_WEEK = timedelta(days=7)
# A shop may be closed at weekends: a week is whole once its Friday had a purchase or is past.
_FRIDAY = timedelta(days=4)


@dataclass(frozen=True)
class Asked:
    """What is forecast: see `reshelf evaluate forecast`."""

    level: str
    cut: date
    weeks: int = 8
    seed: int = 0
    compared: bool = True


@dataclass(frozen=True)
class Evaluation:
    """Forecasts of the series of one level, for `mondays`. `actual` has the weeks of them that the file knows."""

    asked: Asked
    series: tuple[str, ...]
    mondays: tuple[date, ...]
    history_SxW: np.ndarray
    actual_SxH: np.ndarray
    forecast: Forecast
    means: dict[str, np.ndarray]
    unforeseen: float

    def figures(self) -> dict[str, dict[str, float]]:
        """Return WAPE and WRMSSE of every model, empty if the file ends before the first week is over."""
        if not self.actual_SxH.size:
            return {}
        known = self.actual_SxH.shape[1]
        return {
            name: {
                "wape": metrics.wape(self.actual_SxH, mean[:, :known]),
                "wrmsse": wrmsse(self.actual_SxH, mean[:, :known], self.history_SxW, self.asked.weeks),
            }
            for name, mean in self.means.items()
        }

    def coverage(self) -> dict[str, float]:
        """Return the share of what was sold that lies in our intervals."""
        known, found = self.actual_SxH.shape[1], self.forecast
        pairs = {"80": (found.low80_SxH, found.high80_SxH), "95": (found.low95_SxH, found.high95_SxH)}
        return {
            name: float(((low[:, :known] <= self.actual_SxH) & (self.actual_SxH <= high[:, :known])).mean())
            for name, (low, high) in pairs.items()
            if known
        }


def wrmsse(actual_SxH: np.ndarray, mean_SxH: np.ndarray, history_SxW: np.ndarray, weeks: int) -> float:
    """Return the weighted root mean squared scaled error (M5; Makridakis et al. 2022, IJF 38).

    A series' scale is the error of saying that a week is like the one before, from its first sale on. Weights are units
    in the last `weeks` weeks; M5 takes money, which event files need not have. Series without a scale are left out.
    """
    scales = np.array([_scale(row) for row in history_SxW])
    used = scales > 0
    if not used.any():
        return float("nan")
    roots = np.sqrt(((actual_SxH - mean_SxH)[used] ** 2).mean(1) / scales[used])
    return float((roots * (sold := history_SxW[used, -weeks:].sum(1))).sum() / max(sold.sum(), 1e-9))


def _scale(row: np.ndarray) -> float:
    known = row[np.argmax(row > 0) :]
    return float(np.mean(np.diff(known) ** 2)) if len(known) > 1 else 0.0


def run(asked: Asked, demand: Demand, report: Callable[[str], None] = lambda _: None) -> Evaluation:
    """Return the evaluation. Raises DataError for too few weeks, or categories of a file that has none."""
    if asked.level == "category" and not demand.has_categories:
        raise DataError("the items have no category: name a catalogue that has, with --items")
    known, gap, mondays = _weeks(asked, demand)
    mask = np.asarray(demand.units_SxW[:, :known].any(1))
    groups, history = np.array(demand.categories)[mask], demand.units_SxW[mask, :known]
    report(f"{len(history):,} items, {known} weeks before {asked.cut}")
    levels = forecasting.levels(history, asked.weeks + gap, seed=asked.seed, groups_S=groups)
    forecast = Forecast(*(part[:, gap:] for part in levels[LEVELS.index(asked.level)]))
    tree = hierarchy.build(groups, len(history))
    past, chosen = tree.stacked(history), tree.level_N() == LEVELS.index(asked.level)
    means = {OURS: forecast.mean_SxH}
    if asked.compared:
        compared = _compared(asked, tree, past, chosen, asked.weeks + gap, report)
        means |= {name: mean[:, gap:] for name, mean in compared.items()}
    series, columns = _names(demand, mask, asked.level), _columns(demand, mondays)
    sold = _sold(demand, series, asked.level, mask, columns)
    unforeseen = float(demand.units_SxW[~mask][:, columns].sum())
    return Evaluation(asked, series, mondays, past[chosen], sold, forecast, means, unforeseen)


def write_predictions(path: Path, found: Evaluation) -> None:
    """Write `HEADER` for every series and week (.csv, .csv.gz)."""
    parts = [part.tolist() for part in found.forecast]
    rows = (
        (name, monday, *(round(part[s][h], 4) for part in parts))
        for s, name in enumerate(found.series)
        for h, monday in enumerate(found.mondays)
    )
    reports.write_predictions(path, HEADER, rows)


def as_json(found: Evaluation) -> dict[str, Any]:
    """Return the figures, and what they were measured on."""
    asked = found.asked
    packages = (*_PACKAGES, "statsforecast") if asked.compared else _PACKAGES
    return {
        "level": asked.level,
        "cut": asked.cut.isoformat(),
        "weeks": asked.weeks,
        "seed": asked.seed,
        "device": reports.device(),
        "versions": reports.versions(packages),
        "series": len(found.series),
        "weeks_before": found.history_SxW.shape[1],
        "weeks_known_after": found.actual_SxH.shape[1],
        "units_of_items_first_sold_after": found.unforeseen,
        "models": found.figures(),
        "coverage": found.coverage(),
    }


def _weeks(asked: Asked, demand: Demand) -> tuple[int, int, tuple[date, ...]]:
    """Return how many whole weeks are known, how many lie between them and the first forecast one, and its Mondays.

    A cut within a week leaves that week out: it is neither learned from nor forecast.
    """
    known = sum(monday + _WEEK <= asked.cut for monday in demand.mondays)
    monday = asked.cut - timedelta(days=asked.cut.weekday())
    # Weeks after the last sale of the file are as unknown as those after the cut.
    gap = (asked.cut != monday) + max((monday - demand.mondays[0]).days // 7 - known, 0)
    needed = forecasting.least_weeks(asked.weeks + gap)
    if known < needed:
        raise DataError(f"{known} whole weeks lie before {asked.cut}; {needed} are needed to forecast {asked.weeks}")
    first = monday + (asked.cut != monday) * _WEEK
    return known, gap, tuple(first + n * _WEEK for n in range(asked.weeks))


def _sold(demand: Demand, series: tuple[str, ...], level: str, mask: np.ndarray, columns: list[int]) -> np.ndarray:
    """Return what each series sold in the columns; categories and total with the items that were new then."""
    units = demand.units_SxW[:, columns]
    if level == "item":
        return np.asarray(units[mask])
    if level == "total":
        return np.asarray(units.sum(0, keepdims=True))
    categories = np.array(demand.categories)
    return np.stack([units[categories == name].sum(0) for name in series])


def _columns(demand: Demand, mondays: tuple[date, ...]) -> list[int]:
    """Return the columns of the weeks that the file knows whole."""
    place = {monday: n for n, monday in enumerate(demand.mondays)}
    return [place[monday] for monday in mondays if monday in place and monday + _FRIDAY <= demand.last]


def _names(demand: Demand, mask: np.ndarray, level: str) -> tuple[str, ...]:
    if level == "total":
        return ("total",)
    if level == "item":
        return tuple(name for name, is_in in zip(demand.item_ids, mask, strict=True) if is_in)
    return tuple(sorted({name for name, is_in in zip(demand.categories, mask, strict=True) if is_in}))


def _compared(
    asked: Asked,
    tree: hierarchy.Hierarchy,
    past: np.ndarray,
    chosen: np.ndarray,
    horizon: int,
    report: Callable[[str], None],
) -> dict[str, np.ndarray]:
    found = {}
    for name in (baselines.SEASONAL_NAIVE, baselines.AUTO_ETS, baselines.THETA):
        report(name)
        found[name] = baselines.alone(name, past[chosen], horizon)
    report(baselines.LIGHTGBM)
    found[baselines.LIGHTGBM] = baselines.boosted(tree, past, horizon, seed=asked.seed)[chosen]
    return found
