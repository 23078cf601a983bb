"""`reshelf experiment`: compare what shoppers of different arms do, and try a version on few of them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.table import Table

from workers import settings as configuration
from workers.commands import bell
from workers.commands.database import connected

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from workers.experiment.report import Difference, Report, Summary

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")


@click.group()
def experiment() -> None:
    """Show different shelves to different arms of shoppers. See docs/howto/run-an-experiment.md."""


@experiment.command()
@click.argument("name")
@click.option(
    "--arm", "arms", multiple=True, metavar="NAME=TREATMENT:SHARE", help="Repeat it; the control comes first."
)
@click.option("--salt", help="What divides the shoppers. Default: NAME. The same salt divides in the same way.")
def start(name: str, arms: tuple[str, ...], salt: str | None) -> None:
    """Start an experiment of arms.

    For example --arm control=live:0.5 --arm new=version:VERSION:0.5. A treatment is `live` (the model that serves),
    `popular` (the popular shelf), or `version:` and a model version.
    """
    from workers.experiment import plan, service

    with _database() as engine:
        asked = plan.experiment(name, [plan.arm(given) for given in arms], salt=salt)
        marked = service.start(engine, asked)
    _ring()
    click.echo(f"{name} runs; {marked} shoppers are due for another model.")


@experiment.command()
@click.argument("version")
@click.option("--share", type=float, default=0.05, show_default=True, help="Of all shoppers, at most 0.5.")
def canary(version: str, share: float) -> None:
    """Try VERSION on few shoppers.

    It is stopped automatically if it does harm. To change its share, run the command again.
    """
    from workers.experiment import service

    with _database() as engine:
        started, marked = service.canary(engine, version, share)
    _ring()
    click.echo(f"{started.name} runs; {marked} shoppers are due for another model.")


@experiment.command()
@click.argument("name")
def stop(name: str) -> None:
    """Stop an experiment.

    All shoppers get the shelf of the live model again.
    """
    from workers.experiment import service

    with _database() as engine:
        marked = service.stop(engine, name)
    _ring()
    click.echo(f"{name} is stopped; {marked} shoppers are due for the live model.")


@experiment.command("list")
@_AS_JSON
def show_all(as_json: bool) -> None:
    """Show all experiments, the last started first."""
    from storage.experiment import experiments
    from workers.experiment import report

    with _database() as engine, engine.connect() as connection:
        summaries = [report.summary(one) for one in experiments.every(connection)]
    if as_json:
        click.echo(msgspec.json.encode(summaries))
    elif summaries:
        Console(highlight=False).print(_list_table(summaries))
    else:
        click.echo("no experiments yet")


@experiment.command("report")
@click.argument("name")
@_AS_JSON
def show(name: str, as_json: bool) -> None:
    """Show the outcome of an experiment.

    Rates, their intervals, and a verdict, which are valid whenever and however often you look.
    """
    from workers.experiment import service

    with _database() as engine, engine.connect() as connection:
        found = service.reported(connection, name)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    console = Console(highlight=False)
    console.print(f"{name}: {_state(found.experiment)}")
    console.print(_arms_table(found))
    console.print(_differences_table(found))
    console.print(f"Intervals hold at {found.confidence:.0%} however often you look. {found.primary} decides.")


def _database() -> AbstractContextManager[Engine]:
    from workers.experiment.plan import Refused

    return connected(configuration.load(), Refused)


def _ring() -> None:
    """Tell the workers that shoppers are due."""
    from storage import due

    bell.ring(configuration.load(), *due.SWITCHED)


def _list_table(summaries: list[Summary]) -> Table:
    table = _table("experiment", "state", "started", "arms")
    for one in summaries:
        arms = ", ".join(f"{arm.name}={arm.treatment}:{arm.share:g}" for arm in one.arms)
        table.add_row(one.name, _state(one), f"{one.started_at:%Y-%m-%d %H:%M}", arms)
    return table


def _state(one: Summary) -> str:
    kind = "canary" if one.canary else "experiment"
    return f"{kind}, runs" if one.running else f"{kind}, stopped: {one.stopped_because}"


def _arms_table(found: Report) -> Table:
    table = _table("arm", "shows", "share", "exposed", "click-through", *next(iter(found.arms)).rates)
    for arm in found.arms:
        rates = (f"{rate.rate:.2%} ({rate.low:.2%} to {rate.high:.2%})" for rate in arm.rates.values())
        through = "" if arm.click_through is None else f"{arm.click_through:.2%}"
        table.add_row(arm.name, arm.treatment, f"{arm.share:g}", str(arm.exposed), through, *rates)
    return table


def _differences_table(found: Report) -> Table:
    table = _table("arm", "metric", "difference, points", "lift", "p", "verdict")
    for one in found.differences:
        points = f"{one.difference:+.2%} ({one.difference_low:+.2%} to {one.difference_high:+.2%})"
        metric = f"{one.metric} (primary)" if one.primary else one.metric
        p_value = "<0.001" if one.p_value < 0.001 else f"{one.p_value:.3f}"
        table.add_row(one.arm, metric, points, _lift(one), p_value, one.verdict)
    return table


def _table(*headers: str) -> Table:
    """Return a table that wraps long names instead of cutting them, so that they can be copied."""
    table = Table(*headers)
    for column in table.columns:
        column.overflow = "fold"
    return table


def _lift(one: Difference) -> str:
    if one.lift is None:
        return ""
    if one.lift_low is None or one.lift_high is None:
        return f"{one.lift:+.1%}"
    return f"{one.lift:+.1%} ({one.lift_low:+.1%} to {one.lift_high:+.1%})"
