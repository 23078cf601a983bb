"""Loading: recognise a file, read it, and write it in chunks that each commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl
from sqlalchemy import Connection, Engine

from storage.events import bulk, intake
from storage.events.intake import Counts
from storage.privacy.erased import Erased
from workers.load import events, files, items, options, retail
from workers.load.errors import ColumnError, FileError
from workers.load.options import Options
from workers.load.reading import Reading

_READERS = {retail.FORMAT: retail, events.FORMAT: events, items.FORMAT: items}
FORMATS = tuple(_READERS)

_EVENTS_AT_ONCE = 50_000
_WRITER = "load"

_NONE = Counts()

Progress = Callable[[int], None]


class Loaded(NamedTuple):
    """A file that was read, and what became of its rows in the tables, once they were written."""

    reading: Reading
    events: Counts = _NONE
    changes: Counts = _NONE
    is_written: bool = True


def sources(path: Path, catalogue: Path | None) -> list[Path]:
    """Return the files to load, a catalogue first; a folder stands for its `items.…` and `events.…`.

    Raises `FileError`.
    """
    if not path.is_dir():
        return [catalogue, path] if catalogue else [path]
    found = [catalogue or files.find(path, "items"), files.find(path, "events")]
    if not any(found):
        raise FileError(f"{path} holds neither events.csv nor items.csv (or .csv.gz, .parquet): name the file")
    return [file for file in found if file is not None]


def read(
    path: Path,
    *,
    format: str = "auto",
    kind: str = events.DEFAULT_KIND,
    now: datetime | None = None,
    said: Options = options.NONE,
) -> Reading:
    """Return what the file says; `said` is what a person says of it. Raises `LoadError`."""
    source = files.opened(path, said)
    chosen = recognise(source.header, path) if format == "auto" else format
    table = source.read(_READERS[chosen].accepted(source))
    if chosen == events.FORMAT:
        found = events.read(table.frame, path, kind=kind, now=now, said=said)
    else:
        found = (retail if chosen == retail.FORMAT else items).read(table.frame, path, now=now, said=said)
    return replace(
        found,
        read=table.read,
        rejected=(*table.rejected, *found.rejected),
        notes=(*table.notes, *found.notes),
        encoding=source.encoding.label if source.encoding else None,
        separator=source.dialect.name if source.dialect else None,
    )


def recognise(header: Sequence[str], path: Path) -> str:
    """Return the format that the columns speak of. Raises `ColumnError` when they speak of none."""
    for name, reader in _READERS.items():
        if reader.recognises(header):
            return name
    raise ColumnError(
        f"{path} has the columns {', '.join(header) or '(none)'}; expected are `user_id` and `item_id` (events), "
        "`item_id` and `title` (a catalogue), or those of the UCI Online Retail file"
    )


def write(
    engine: Engine, reading: Reading, progress: Progress = lambda _: None, *, erased: Erased | None = None
) -> Loaded:
    """Write what was read; `progress` gets how many more rows were committed. Existing rows stay as they are.

    Events of the `erased` are left out.
    """
    refused = sum(reason.lines for reason in reading.rejected)
    with_events = reading.format != items.FORMAT
    changes = Counts()
    if reading.changes or not with_events:
        with engine.begin() as connection:
            changes = bulk.write_changes(
                connection, reading.changes, writer=_WRITER, rejected=0 if with_events else refused
            )
        progress(len(reading.changes))
    written = _write_events(engine, reading.events, refused, progress, erased) if with_events else Counts()
    return Loaded(reading, written, changes)


def _write_events(
    engine: Engine, rows: pl.DataFrame, refused: int, progress: Progress, erased: Erased | None
) -> Counts:
    months = rows["at"].dt.truncate("1mo").unique().to_list()
    with engine.begin() as connection:
        intake.ensure_months(connection, months)
    # In event time, so that an interrupted load leaves histories without gaps.
    pieces = list(rows.sort("at", maintain_order=True).iter_slices(_EVENTS_AT_ONCE)) or [rows]
    written = 0
    for number, piece in enumerate(pieces):
        with engine.begin() as connection:
            rejected = 0 if number else refused
            kept = piece if erased is None else _without(connection, erased, piece)
            written += bulk.write_events(connection, kept.rows(), writer=_WRITER, rejected=rejected).written
        progress(piece.height)
    return Counts(written, rows.height - written, refused)


def _without(connection: Connection, erased: Erased, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the events that are not of erased people."""
    gone = erased.among(connection, rows["shopper"].unique())
    return rows.filter(~pl.col("shopper").is_in(sorted(gone))) if gone else rows
