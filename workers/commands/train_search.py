"""`reshelf train search`: the part of the command that is only for search."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from workers.commands import bell
from workers.commands.database import connected
from workers.settings import Settings

if TYPE_CHECKING:
    from workers.search.training import Report


def run(settings: Settings, preset: str, seed: int, *, serve: bool, as_json: bool) -> bool:
    """Train, print the report, and return whether the version may serve. An error that the user can fix is one line."""
    from model.errors import ModelError
    from storage import due
    from storage.registry.training import TrainingRuns
    from workers.evaluate import training_tables
    from workers.load.errors import FileError
    from workers.registry.errors import NotEnoughData
    from workers.registry.versions import VerificationFailed
    from workers.search import training

    trouble = (NotEnoughData, TrainingRuns, VerificationFailed, ModelError, FileError)
    with connected(settings, *trouble) as database, training_tables.progress(Console(stderr=True)) as progress:
        report = training.train(database, settings, preset=preset, seed=seed, serve=serve, progress=progress)
    if report.published:
        bell.ring(settings, due.CATALOGUE)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report)))
    else:
        _show(report, Console(highlight=False))
    return not report.reasons


def _show(report: Report, console: Console) -> None:
    console.print(_table(report.figures))
    console.print(f"Held out: {report.held_out}.")
    console.print(f"{report.items:,} items and {report.queries:,} queries with clicks in {report.seconds:.0f} s.")
    for reason in report.reasons:
        console.print(f"[red]{report.version} does not serve:[/red] {reason}")
    if report.published:
        console.print(f"{report.version} serves.")


def _table(figures: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table("ranker", "NDCG@10", "recall@100", "MRR")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, values in figures.items():
        table.add_row(name, *(f"{values.get(figure, float('nan')):.4f}" for figure in ("ndcg@10", "recall@100", "mrr")))
    return table
