"""`reshelf load`: a shop's past behaviour and catalogue, from files."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from workers import settings as configuration
from workers.commands import bell
from workers.commands.database import connected

if TYPE_CHECKING:
    from sqlalchemy import Engine

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
    help="What PATH holds; auto tells it by the columns.",
)
@click.option("--orders", "is_of_orders", is_flag=True, help="PATH holds past orders, with labels as far as known.")
@click.option("--kind", default="purchase", show_default=True, help="Kind of the events in a file that does not say.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def load(path: Path, catalogue: Path | None, kind_of_file: str, is_of_orders: bool, kind: str, as_json: bool) -> None:
    """Load events, a catalogue, past orders, or the UCI Online Retail file from PATH: CSV (.gz) or Parquet.

    A folder stands for its events.… and items.…. Every line is kept or counted under one reason, and loading a file
    twice adds nothing. See docs/howto/load-files.md.
    """
    if is_of_orders:
        _load_orders(path, as_json)
        return
    from storage import due
    from storage.events import bulk
    from workers.load import report
    from workers.load.errors import LoadError

    settings = configuration.load()
    started = time.monotonic()
    with connected(settings, LoadError) as engine:
        loaded = _load(engine, path, catalogue, kind_of_file, kind)
        with engine.connect() as connection:
            unlisted = bulk.unlisted_items(connection)
    bell.ring(settings, due.ITEM, due.BASKET, due.SHOPPER)
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


def _load_orders(path: Path, as_json: bool) -> None:
    from workers.fraud import configuration as detection
    from workers.fraud import loading
    from workers.load.errors import LoadError

    settings = configuration.load()
    with connected(settings, LoadError) as engine:
        found = loading.read(path, label_days=settings.fraud_label_days)
        with _bar() as bar:
            task = bar.add_task(f"writing {path.name}", total=found.kept.height)
            written = loading.write(engine, found, detection.features_of(settings), partial(bar.advance, task))
    rejected = {one.reason: {"lines": one.lines, "first_line": one.first_line} for one in found.rejected}
    counts = {"file": path.name, "lines": found.lines, "written": written, "rejected": rejected}
    counts["duplicates"] = found.kept.height - written
    if as_json:
        click.echo(json.dumps(counts))
        return
    click.echo(f"{path.name}: {written:,} orders written, {counts['duplicates']:,} were there before")
    for one in found.rejected:
        click.echo(f"  {one.lines:,} lines left out: {one.reason} (first: line {one.first_line})")


def _load(engine: Engine, path: Path, catalogue: Path | None, kind_of_file: str, kind: str) -> list[Loaded]:
    from workers.load import service

    files = service.sources(path, catalogue)
    with _bar() as bar:
        readings = []
        for file in files:
            task = bar.add_task(f"reading {file.name}", total=None)
            chosen = "auto" if file != path else kind_of_file
            readings.append(service.read(file, format=chosen, kind=kind))
            bar.update(task, total=readings[-1].read, completed=readings[-1].read)
        loaded = []
        for reading in readings:
            rows = reading.events.height + len(reading.changes)
            task = bar.add_task(f"writing {reading.path.name}", total=rows)
            loaded.append(service.write(engine, reading, partial(bar.advance, task)))
    return loaded


@contextmanager
def _bar() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield bar
