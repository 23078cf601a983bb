"""A file of weekly sales to a panel: store_id, item_id, week, units, price, and deal, feature and cost where known.

`week` is a number, or a date (a Monday). `deal` and `feature` are shares from 0 to 1; empty is 0. An empty cost is not
known. Lines of the same store, item and week are added up, their price weighted by units.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from model.pricing.forecast.panel import Panel
from workers.load import files
from workers.load.errors import FileError
from workers.load.reading import Rejected, judge
from workers.load.values import nulls, numbers

KEYS = ("store_id", "item_id", "week")
_NUMBERS = ("units", "price", "deal", "feature", "cost")
_ACCEPTED = {name: (name,) for name in (*KEYS, *_NUMBERS)}
_MOST_MONEY = 1e9
_MOST_WEEKS = 2_000


class SalesFile(NamedTuple):
    """What the file holds."""

    path: Path
    panel: Panel
    rejected: tuple[Rejected, ...]


def read(path: Path) -> SalesFile:
    """Return the sales. Lines that cannot be read are left out, counted by reason.

    Raises `LoadError` for a file without the columns, without a line that can be read, or over more than 2,000 weeks.
    """
    source = files.opened(path)
    for column in (*KEYS, "units", "price"):
        source.require("a file of sales", _ACCEPTED, [column])
    table = source.read(_ACCEPTED)
    frame = nulls.cleared(table.frame, KEYS[:2], (*_NUMBERS, "week"))
    typed, open_S = _numbers(frame)
    kept, rejected = judge(typed.with_columns(_week(), open=open_S), _rules(), frame)
    rejected = (*table.rejected, *rejected)
    if not kept.height:
        first = f" (line {rejected[0].first_line}: {rejected[0].reason})" if rejected else ""
        raise FileError(f"{path} has no line of sales that can be read{first}")
    return SalesFile(path, _panel(path, kept), rejected)


def _numbers(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Return the frame with its numbers read, and where one of them can be read in two ways."""
    open_S = pl.Series([False]).new_from_index(0, frame.height)
    for name in _NUMBERS:
        texts = frame[name] if name in frame.columns else pl.Series(name, [None] * frame.height, pl.String)
        column = numbers.read(texts, is_money=name in ("price", "cost"))
        frame, open_S = frame.with_columns(column.values.alias(name)), open_S | column.open
    return frame, open_S


def _week() -> pl.Expr:
    """Return the week's number: as given, or counted from 1970 for a date."""
    days = pl.col("week").str.to_date("%Y-%m-%d", strict=False).to_physical()
    whole = pl.when(pl.col("week").str.contains(r"^\d{1,7}$")).then(pl.col("week").cast(pl.Int64, strict=False))
    # 1970-01-05 was a Monday.
    return pl.coalesce(whole, (days.cast(pl.Int64) - 4).floordiv(7)).alias("number")


def _rules() -> dict[str, pl.Expr]:
    def between(name: str, high: float) -> pl.Expr:
        return pl.col(name).is_not_null() & ~pl.col(name).is_between(0, high)

    return {
        "no store_id": pl.col("store_id").is_null(),
        "no item_id": pl.col("item_id").is_null(),
        "ambiguous number": pl.col("open"),
        "week is neither a number nor a date": pl.col("number").is_null(),
        "units is no number from 0 on": ~pl.col("units").is_between(0, 1e12).fill_null(False),
        "price is no amount above 0": ~((pl.col("price") > 0) & (pl.col("price") <= _MOST_MONEY)).fill_null(False),
        "deal is no share from 0 to 1": between("deal", 1),
        "feature is no share from 0 to 1": between("feature", 1),
        "cost is no amount from 0 on": between("cost", _MOST_MONEY),
    }


def _panel(path: Path, kept: pl.DataFrame) -> Panel:
    weight = pl.col("units") + 1e-9
    rows = kept.group_by("store_id", "item_id", "number", maintain_order=True).agg(
        pl.col("units").sum().alias("units"),
        *(((pl.col(name) * weight).sum() / weight.sum()).alias(name) for name in ("price", "deal", "feature")),
        pl.col("cost").mean().alias("cost"),
        pl.col("week").first().alias("week"),
    )
    first, last = int(rows["number"].min()), int(rows["number"].max())  # type: ignore[arg-type]
    if last - first >= _MOST_WEEKS:
        raise FileError(f"{path} spans {last - first + 1:,} weeks; leave out the lines whose week is wrong")
    stores, items = sorted(set(rows["store_id"])), sorted(set(rows["item_id"]))
    where = (_places(stores, rows["store_id"]), _places(items, rows["item_id"]), rows["number"].to_numpy() - first)
    shape = (len(stores), len(items), last - first + 1)

    def column(name: str) -> np.ndarray:
        values = np.full(shape, np.nan)
        values[where] = rows[name].to_numpy()
        return values

    names = dict(zip(where[2].tolist(), rows["week"], strict=True))
    weeks = tuple(str(names.get(n, "")) for n in range(shape[2]))
    units, price, deal, feature, cost = map(column, ("units", "price", "deal", "feature", "cost"))
    return Panel(units, price, deal, feature, cost, tuple(stores), tuple(items), weeks)


def _places(names: list[str], column: pl.Series) -> np.ndarray:
    place = {name: n for n, name in enumerate(names)}
    return np.array([place[name] for name in column])
