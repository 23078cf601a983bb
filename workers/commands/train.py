"""`reshelf train`: learn from what the tables hold, and let the result serve."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console

from workers import settings as configuration
from workers.commands import bell, train_search
from workers.settings import Settings

EXIT_REJECTED = 1

if TYPE_CHECKING:
    from workers.learn.service import Report


@click.command()
@click.argument("what", type=click.Choice(["recommend", "search"]), default="recommend")
@click.option("--preset", help="Model preset: tiny, small or base (of search: tiny or small). Default: RESHELF_PRESET.")
@click.option("--minutes", type=click.FloatRange(min=0.01), help="End after this long, with the best epoch so far.")
@click.option("--seed", type=int, default=0, show_default=True, help="Same data and seed: same model.")
@click.option("--no-publish", is_flag=True, help="Save and register the model, but let the present one serve on.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def train(what: str, preset: str | None, minutes: float | None, seed: int, no_publish: bool, as_json: bool) -> None:
    """Train a model on all events, test it on held-out ones, and publish it; WHAT is recommend unless given.

    Search learns from the catalogue, and from searches and clicks where there are enough (docs/search.md).

    Exit status 1 where the gate rejects it: what served before serves on, and the reasons are printed.

    Several processes train together where RESHELF_COORDINATOR is set: see docs/distributed.md.
    """
    from workers.runtime import group

    settings = configuration.load()
    if what == "search":
        if minutes is not None:
            raise click.UsageError("--minutes is for recommend alone: search trains for as long as its catalogue asks")
        if not train_search.run(settings, preset or "small", seed, serve=not no_publish, as_json=as_json):
            sys.exit(EXIT_REJECTED)
        return
    with group.joined(settings):
        report = _train(settings, preset, minutes, seed, serve=not no_publish)
        if report is not None:
            tell(settings, report, as_json=as_json)


def _train(settings: Settings, preset: str | None, minutes: float | None, seed: int, *, serve: bool) -> Report | None:
    """Return the report; None in a process that only takes part. What a person can put right is one line."""
    from sqlalchemy.exc import OperationalError

    from model.errors import ModelError
    from model.recommend import lockstep
    from storage import engine as engines
    from storage.training import TrainingRuns
    from workers.learn import screen, service
    from workers.learn.data import NotEnoughData
    from workers.learn.publish import VerificationFailed
    from workers.runtime import bootstrap

    engine = engines.connect(bootstrap.required(settings.database_url, "RESHELF_DATABASE_URL"))
    asked = service.Training(preset or settings.preset, seed=seed, minutes=minutes, serve=serve)
    try:
        if not lockstep.leads():
            service.take_part(engine, settings, asked)
            return None
        with screen.progress(Console(stderr=True)) as progress:
            return service.train(engine, settings, asked, progress)
    except (NotEnoughData, TrainingRuns, VerificationFailed, ModelError) as error:
        raise click.ClickException(str(error)) from error
    except OperationalError as error:
        raise click.ClickException(f"the database does not answer: {error.orig}") from error
    finally:
        engine.dispose()


def tell(settings: Settings, report: Report, *, as_json: bool) -> None:
    """Ring for what a new version made due and print the report; exit with status 1 where the gate rejected it."""
    from storage import due
    from workers.learn import screen

    if report.published:
        bell.ring(settings, due.ITEM, due.SHOPPER)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report)))
    else:
        screen.show(report, Console(highlight=False))
    if report.reasons:
        sys.exit(EXIT_REJECTED)
