"""`reshelf load`: a shop's past events and catalogue, from files."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from workers import settings as configuration
from workers.commands import bell, file_options
from workers.commands.database import connected

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from workers.fraud.loading import Read
    from workers.load.options import Options
    from workers.load.reading import Reading, Rejected
    from workers.load.service import Loaded


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--items", "catalogue", type=click.Path(path_type=Path), help="The catalogue of a file of events.")
@click.option(
    "--format",
    "kind_of_file",
    type=click.Choice(["auto", "retail", "events", "items"]),
    default="auto",
    show_default=True,
    help="What PATH holds; auto recognises it by the columns.",
)
@click.option("--orders", "is_of_orders", is_flag=True, help="PATH holds past orders, with labels as far as known.")
@click.option("--kind", default="purchase", show_default=True, help="Kind of the events in a file that does not say.")
@file_options.taken
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def load(
    path: Path,
    catalogue: Path | None,
    kind_of_file: str,
    is_of_orders: bool,
    kind: str,
    said: Options,
    as_json: bool,
) -> None:
    """Load events, a catalogue, past orders, or the UCI Online Retail file from PATH: CSV (.gz, .zst) or Parquet.

    A folder stands for its events.… and items.…. Every line is kept or counted under one reason, and loading a file
    twice adds nothing. A file of which no line can be loaded is an error. See docs/howto/load-files.md.
    """
    if is_of_orders:
        _load_orders(path, said, as_json)
    else:
        _load(path, catalogue, kind_of_file, kind, said, as_json)


def _load(path: Path, catalogue: Path | None, format: str, kind: str, said: Options, as_json: bool) -> None:
    from storage import due
    from storage.events import bulk
    from workers.load import reading
    from workers.load.errors import LoadError, NoRowsError
    from workers.load.service import Loaded

    settings = configuration.load()
    started = time.monotonic()
    with connected(settings, LoadError) as engine:
        readings = _readings(path, catalogue, format, kind, said)
        try:
            for one in readings:
                reading.require_rows(one.path, one.read, one.rejected)
        except NoRowsError:
            _report([Loaded(one, is_written=False) for one in readings], 0, started, as_json)
            raise
        loaded = _written(engine, readings)
        with engine.connect() as connection:
            unlisted = bulk.unlisted_items(connection)
    bell.ring(settings, due.ITEM, due.BASKET, due.SHOPPER)
    _report(loaded, unlisted, started, as_json)


def _report(loaded: list[Loaded], unlisted: int, started: float, as_json: bool) -> None:
    from workers.load import report

    if as_json:
        click.echo(json.dumps(report.as_json(loaded, unlisted, round(time.monotonic() - started, 2))))
        return
    console = Console(highlight=False)
    report.show(loaded, console)
    if unlisted:
        console.print(
            f"Note: {unlisted:,} items have events and no catalogue row; they are learnt from, and never shown. "
            "Load their catalogue with --items.",
            style="yellow",
        )


def _load_orders(path: Path, said: Options, as_json: bool) -> None:
    from workers.fraud import configuration as detection
    from workers.fraud import loading
    from workers.load import reading
    from workers.load.errors import LoadError, NoRowsError
    from workers.privacy import parts as privacy_parts

    settings = configuration.load()
    with connected(settings, LoadError) as engine:
        found = loading.read(path, label_days=settings.fraud_label_days, said=said)
        try:
            reading.require_rows(path, found.lines, found.rejected)
        except NoRowsError:
            _report_orders(found, 0, as_json)
            raise
        with _bar() as bar:
            task = bar.add_task(f"writing {path.name}", total=found.kept.height)
            erased = privacy_parts.erased(engine, settings)
            config, advance = detection.features_of(settings), partial(bar.advance, task)
            written = loading.write(engine, found, config, advance, erased=erased)
    _report_orders(found, written, as_json)


def _report_orders(found: Read, written: int, as_json: bool) -> None:
    duplicates = found.kept.height - written
    counts = {
        "file": found.path.name, "encoding": found.encoding, "separator": found.separator, "lines": found.lines,
        "written": written, "rejected": _reasons(found.rejected), "unread": _reasons(found.unread),
        "duplicates": duplicates, "notes": found.notes,
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(counts))
        return
    form = f" ({found.encoding}, {found.separator} between)" if found.encoding else ""
    click.echo(f"{found.path.name}{form}: {written:,} orders written, {duplicates:,} were there before")
    for one in found.rejected:
        click.echo(f"  {one.lines:,} lines left out: {one.reason} (first: line {one.first_line}: {one.example})")
    for one in found.unread:
        click.echo(f"  {one.lines:,} lines taken without it: {one.reason} (first: line {one.first_line})")
    for note in found.notes:
        click.echo(f"Note: {note}.")


def _reasons(rejected: Iterable[Rejected]) -> dict[str, object]:
    return {
        one.reason: {
            "lines": one.lines, "first_line": one.first_line, "first_lines": one.places, "example": one.example,
        }
        for one in rejected
    }  # fmt: skip


def _readings(path: Path, catalogue: Path | None, format: str, kind: str, said: Options) -> list[Reading]:
    from workers.load import service

    readings = []
    with _bar() as bar:
        for file in service.sources(path, catalogue):
            task = bar.add_task(f"reading {file.name}", total=None)
            chosen = "auto" if file != path else format
            readings.append(service.read(file, format=chosen, kind=kind, said=said))
            bar.update(task, total=readings[-1].read, completed=readings[-1].read)
    return readings


def _written(engine: Engine, readings: list[Reading]) -> list[Loaded]:
    from workers.load import service
    from workers.privacy import parts as privacy_parts

    erased = privacy_parts.erased(engine, configuration.load())
    loaded = []
    with _bar() as bar:
        for reading in readings:
            rows = reading.events.height + len(reading.changes)
            task = bar.add_task(f"writing {reading.path.name}", total=rows)
            loaded.append(service.write(engine, reading, partial(bar.advance, task), erased=erased))
    return loaded


@contextmanager
def _bar() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield bar
