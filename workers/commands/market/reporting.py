"""`reshelf report`: one HTML file that a merchandiser can read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workers import settings as configuration
from workers.commands import file_options
from workers.commands.database import connected

if TYPE_CHECKING:
    from workers.load.options import Options
    from workers.market.report.content import Content

_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--out", type=_FILE, default=Path("report.html"), show_default=True, help="The file to write.")
@click.option("--events", type=_FILE, help="A file of events, or the Online Retail file, instead of a running shop.")
@click.option("--items", type=_FILE, help="The catalogue of that file.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the analysis of a file.")
@file_options.taken
def report(
    out: Path,
    events: Path | None,
    items: Path | None,
    seed: int,
    said: Options,
) -> None:
    """Write what sold, what is rising, what to restock, and how sure that is, as one HTML file that loads nothing.

    It shows the newest analysis of a running shop (`reshelf market refresh` makes one), or analyses a file.
    """
    from workers.market.report import page

    content = _of_shop() if events is None else _of_file(events, items, said, seed)
    text = page.render(content)
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from error
    click.echo(f"{out} holds the report: {len(text.encode()) / 1024:.0f} KiB, and loads nothing else")


def _of_shop() -> Content:
    from storage.market import results, versions
    from storage.pricing import proposals
    from workers.market.report.content import Content, Repricing

    with connected(configuration.load()) as engine, engine.connect() as connection:
        version = versions.newest(connection)
        if version is None:
            raise click.ClickException("the market was not analysed yet: run `reshelf market refresh` first")
        rows = {name: [row for _, row in results.read(connection, version.version, name)] for name in results.ANALYSES}
        waiting = [Repricing(**row._mapping) for row in proposals.waiting(connection, version.currency)]
    return Content(version.through, version.finished_at, version.currency, version.notes, rows, waiting)


def _of_file(events: Path, items: Path | None, said: Options, seed: int) -> Content:
    from datetime import UTC, datetime

    from workers.load.errors import LoadError
    from workers.market import analysis, files
    from workers.market.report.content import Content
    from workers.registry.errors import NotEnoughData
    from workers.runtime import device

    device.prepare(configuration.load().home)
    try:
        data = files.read(events, items, said)
        found = analysis.results(data, seed=seed)
    except (LoadError, NotEnoughData) as error:
        raise click.ClickException(str(error)) from error
    return Content(data.through, datetime.now(UTC), data.currency, tuple(found.notes), found.rows)
