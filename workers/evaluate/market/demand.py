"""A file's purchases as weekly units of items: the lines that `reshelf load` would keep, cancellations not subtracted.

Weeks begin on Mondays, UTC. The Online Retail file has no categories: an item's category is what its title names, as
`reshelf load` reads it; what an event file's items belong to is in a catalogue beside it.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from workers.evaluate import recommend_files
from workers.load import options, reading
from workers.load import service as loading
from workers.load.errors import FileError
from workers.load.options import Options
from workers.load.reading import Reading

UNNAMED = "other"
"""The category of items without one."""

_MOST_WEEKS = 1_000
_WEEK = timedelta(days=7)


class Demand(NamedTuple):
    """Units of each item in each week: a column for each of `mondays`. `last` is the day of the last purchase."""

    units_SxW: np.ndarray
    item_ids: tuple[str, ...]
    categories: tuple[str, ...]
    mondays: tuple[date, ...]
    last: date
    has_categories: bool
    readings: tuple[Reading, ...]


def read(events: Path, items: Path | None = None, *, said: Options = options.NONE) -> Demand:
    """Return the weekly units of the purchases in the files.

    Raises `LoadError` for a file that cannot be read, has no purchase, or spans more than 1,000 weeks.
    """
    readings = tuple(loading.read(file, said=said) for file in loading.sources(events, items))
    for one in readings:
        reading.require_rows(one.path, one.read, one.rejected)
        reading.require_answers(one.path, one.rejected)
    frame = pl.concat([one.events for one in readings])
    bought = frame.filter(pl.col("kind") == "purchase", pl.col("item_id").is_not_null())
    if not bought.height:
        raise FileError(f"{events} has no purchase of an item")
    names = {item.item_id: item.category for one in readings for item in recommend_files.items_of(one)}
    return _demand(bought, names, events, readings)


def _demand(bought: pl.DataFrame, names: dict[str, str | None], path: Path, readings: tuple[Reading, ...]) -> Demand:
    days = pl.col("at").dt.date()
    weekly = (
        bought.with_columns(monday=days.dt.truncate("1w")).group_by("item_id", "monday").agg(pl.col("quantity").sum())
    )
    ends: list[date] = weekly["monday"].sort().to_list()
    first = ends[0]
    count = (ends[-1] - first).days // 7 + 1
    if count > _MOST_WEEKS:
        raise FileError(f"{path} spans {count:,} weeks; leave out the lines whose time is wrong")
    ids = sorted(weekly["item_id"].unique())
    place = {name: n for n, name in enumerate(ids)}
    units = np.zeros((len(ids), count))
    rows = [place[name] for name in weekly["item_id"]]
    columns = ((weekly["monday"] - first).dt.total_days() // 7).to_list()
    units[rows, columns] = weekly["quantity"].to_numpy()
    return Demand(
        units,
        tuple(ids),
        tuple(names.get(name) or UNNAMED for name in ids),
        tuple(first + n * _WEEK for n in range(count)),
        bought["at"].max().date(),  # type: ignore[union-attr]
        any(names.values()),
        readings,
    )
