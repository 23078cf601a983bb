"""Files as the arrays that the model learns from: the same lines that `reshelf load` would keep."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from model.catalogue import Item
from storage import due
from workers import catalogue as workers_catalogue
from workers.load import options, reading
from workers.load import service as loading
from workers.load.options import Options
from workers.load.reading import Reading
from workers.recommend.training import data
from workers.recommend.training.data import TrainingData
from workers.registry.errors import NotEnoughData


class FileData(NamedTuple):
    """The data of an evaluation, and the readings of its files for the report."""

    known: TrainingData
    readings: list[Reading]


def read(events: Path, items: Path | None, *, kind: str, said: Options = options.NONE) -> FileData:
    """Return the events and the catalogue of files; `kind` is the kind of events that have none.

    `said` is what a person says of the files where their content does not decide.

    Raises `LoadError` for a file that cannot be read, and `NotEnoughData`.
    """
    readings = [loading.read(file, kind=kind, said=said) for file in loading.sources(events, items)]
    for one in readings:
        reading.require_rows(one.path, one.read, one.rejected)
        reading.require_answers(one.path, one.rejected)
    frame = pl.concat([reading.events for reading in readings])
    frame = frame.filter(pl.col("item_id").is_not_null(), ~pl.col("kind").is_in(due.QUIET_KINDS))
    if frame["item_id"].n_unique() < 2:
        raise NotEnoughData(f"{events} has events on fewer than two items: there is nothing to rank")
    catalogue = {item.item_id: item for reading in readings for item in items_of(reading)}
    return FileData(data.from_events(_in_order(frame), list(catalogue.values())), readings)


def items_of(read: Reading) -> list[Item]:
    """Return the catalogue changes of a file as items of the model."""
    return [
        _item(str(change["item_id"]), change["fields"])
        for change in read.changes
        if isinstance(change["fields"], Mapping)
    ]


def _in_order(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the events by shopper and time; events of the same moment (a basket) in an order without information."""
    scrambled = [zlib.crc32(event_id.encode()) for event_id in frame["event_id"]]
    ordered = frame.with_columns(scrambled=pl.Series(scrambled)).sort("shopper", "at", "scrambled", "event_id")
    return ordered.select("shopper", "item_id", "kind", pl.col("at").dt.epoch("us"))


def _item(item_id: str, fields: Mapping[str, Any]) -> Item:
    return Item(
        item_id=item_id,
        title=workers_catalogue.words_of(fields.get("title"), item_id),
        text=fields.get("text") or "",
        category=fields.get("category"),
        brand=fields.get("brand"),
        price=fields.get("price"),
        attributes=workers_catalogue.attribute_labels(fields.get("attributes") or {}, fields.get("tags") or ()),
    )
