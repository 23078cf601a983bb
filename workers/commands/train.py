"""`reshelf train`, `… train search`, `… train fraud`: train on what the tables hold, and publish the result."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console

from workers import settings as configuration
from workers.commands import bell, train_search
from workers.commands.database import connected
from workers.settings import Settings

EXIT_REJECTED = 1

if TYPE_CHECKING:
    from workers.fraud.training.learning import Report as FraudReport
    from workers.recommend.training.full_training import Report


@click.group(invoke_without_command=True)
@click.option("--preset", help="Model preset: tiny, small or base. Default: RESHELF_PRESET.")
@click.option("--minutes", type=click.FloatRange(min=0.01), help="End after this long, with the best epoch so far.")
@click.option("--seed", type=int, default=0, show_default=True, help="Same data and seed: same model.")
@click.option("--no-publish", is_flag=True, help="Save and register the model, but keep the live one.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def train(
    context: click.Context, preset: str | None, minutes: float | None, seed: int, no_publish: bool, as_json: bool
) -> None:
    """Train a model on all events, test it on held-out ones, and publish it. `search` and `fraud` train those models.

    Exit status 1 if the gate rejects it: the live version stays live, and the reasons are printed.

    Several processes train together if RESHELF_COORDINATOR is set: see docs/howto/train-on-several-machines.md.
    """
    if context.invoked_subcommand is not None:
        return
    from workers.runtime import distributed

    settings = configuration.load()
    with distributed.joined(settings):
        report = _train(settings, preset, minutes, seed, serve=not no_publish)
        if report is not None:
            tell(settings, report, as_json=as_json)


@train.command()
@click.option("--preset", default="small", show_default=True, help="Model preset: tiny or small.")
@click.option("--seed", type=int, default=0, show_default=True, help="Same data and seed: same model.")
@click.option("--no-publish", is_flag=True, help="Save and register the model, but let the present one serve on.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def search(preset: str, seed: int, no_publish: bool, as_json: bool) -> None:
    """Train search on the catalogue, and on searches and clicks if there are enough (docs/howto/train-and-publish.md).

    Exit status 1 if the gate rejects it.
    """
    if not train_search.run(configuration.load(), preset, seed, serve=not no_publish, as_json=as_json):
        sys.exit(EXIT_REJECTED)


@train.command()
@click.option("--seed", type=int, default=0, show_default=True, help="Same data and seed: same model.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def fraud(seed: int, as_json: bool) -> None:
    """Train the detector on orders with known outcome, test it on others, and publish it.

    Exit status 1 if the gate rejects it. With too few frauds it only learns what orders look like, and scores how
    unusual an order is.
    """
    from model.errors import ModelError
    from storage.registry.training import TrainingRuns
    from workers.fraud.training import learning
    from workers.registry.errors import NotEnoughData
    from workers.registry.versions import VerificationFailed

    settings = configuration.load()
    with connected(settings, NotEnoughData, TrainingRuns, VerificationFailed, ModelError) as engine:
        report = learning.train(engine, settings, seed=seed)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report)))
    else:
        _tell_fraud(report)
    if report.reasons:
        sys.exit(EXIT_REJECTED)


def _tell_fraud(report: FraudReport) -> None:
    console = Console(highlight=False)
    console.print(f"{report.version}: {report.orders:,} orders, {report.frauds:,} frauds, in {report.seconds:.0f} s")
    for name, figures in report.gate.get("figures", {}).items():
        said = ", ".join(f"{measure} {value:.4f}" for measure, value in figures.items())
        console.print(f"{name} on {report.tested:,} orders that it had not seen: {said}")
    for line in (*report.gate.get("notes", []), *report.reasons):
        console.print(line, markup=False)
    console.print("It serves." if report.published else "It does not serve.")


def _train(settings: Settings, preset: str | None, minutes: float | None, seed: int, *, serve: bool) -> Report | None:
    """Return the report; None in a process that only takes part.

    An error that the user can fix ends it with one line.
    """
    from model.errors import ModelError
    from model.recommend.training import coordination
    from storage.registry.training import TrainingRuns
    from workers.evaluate import training_tables
    from workers.recommend.training import full_training
    from workers.registry.errors import NotEnoughData
    from workers.registry.versions import VerificationFailed

    asked = full_training.Training(preset or settings.preset, seed=seed, minutes=minutes, serve=serve)
    with connected(settings, NotEnoughData, TrainingRuns, VerificationFailed, ModelError) as engine:
        if not coordination.leads():
            full_training.take_part(engine, settings, asked)
            return None
        with training_tables.progress(Console(stderr=True)) as progress:
            return full_training.train(engine, settings, asked, progress)


def tell(settings: Settings, report: Report, *, as_json: bool) -> None:
    """Ring for what a new version made due and print the report; exit with status 1 if the gate rejected it."""
    from storage import due
    from workers.evaluate import training_tables

    if report.published:
        bell.ring(settings, *due.SWITCHED)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report)))
    else:
        training_tables.show(report, Console(highlight=False))
    if report.reasons:
        sys.exit(EXIT_REJECTED)
