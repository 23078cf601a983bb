"""`reshelf fraud`: the rules, and replaying decisions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.table import Table

from reshelf import fields
from workers import settings as configuration
from workers.commands.database import connected
from workers.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from workers.fraud.rules.backtest import Backtest
    from workers.fraud.rules.rules import RuleSet

_FILE = click.Path(path_type=Path)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")


@click.group()
def fraud() -> None:
    """Rules that decide about orders next to the model, and their decisions. See docs/howto/write-fraud-rules.md."""


@fraud.group()
def rules() -> None:
    """Check, try and activate files of rules (TOML)."""


@rules.command()
@click.argument("file", type=_FILE)
def check(file: Path) -> None:
    """Check the rules of FILE: exit status 1, naming what is wrong and what was meant perhaps."""
    from workers.fraud.rules import rules as language

    found = _read(file)
    click.echo(f"{found.version}: {len(found.rules)} rules, {len(found.lists)} lists")
    for said in language.unreadable(found):
        click.echo(f"Note: {said}")


@rules.command("try")
@click.argument("file", type=_FILE)
@click.option(
    "--days", type=click.FloatRange(min=0.01), default=30.0, show_default=True, help="Orders of so many days."
)
@_AS_JSON
def try_rules(file: Path, days: float, as_json: bool) -> None:
    """Show what the rules of FILE would have decided about past orders. Changes nothing."""
    from workers.fraud.rules import backtest

    found = _read(file)
    with _database() as (_, engine):
        outcome = backtest.run(engine, found, datetime.now(UTC) - timedelta(days=days))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(outcome.as_json())))
    else:
        _show(outcome, Console(highlight=False))


@rules.command()
@click.argument("file", type=_FILE)
def activate(file: Path) -> None:
    """Make the rules of FILE the active ones; workers and gateways follow within a second."""
    from storage.fraud import rule_sets
    from workers.fraud.rules import rules as language
    from workers.keys import operator

    found = _read(file)
    with _database() as (_, engine), engine.begin() as connection:
        rule_sets.keep(connection, found.version, language.to_json(found))
        rule_sets.activate(connection, found.version)
        operator.record(connection, "rules activated", found.version)
    click.echo(f"{found.version} decides.")


@rules.command("list")
@_AS_JSON
def list_rules(as_json: bool) -> None:
    """Show which rules were active from when on, the newest first."""
    from storage.fraud import rule_sets

    with _database() as (_, engine), engine.connect() as connection:
        rows = [dict(row._mapping) for row in rule_sets.history(connection)]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(rows)))
        return
    for row in rows:
        click.echo(f"{row['at']:%Y-%m-%d %H:%M:%S} {row['version']}")
    if not rows:
        click.echo("No rules were activated: the thresholds alone decide.")


@fraud.command()
@click.argument("order_id")
def replay(order_id: str) -> None:
    """Decide about ORDER_ID again from what is stored; exit status 1 if the result differs."""
    from model.errors import ModelError
    from workers.fraud import replaying

    with _database() as (settings, engine):
        try:
            found = replaying.replay(engine, settings, fields.identity(order_id))
        except (replaying.NotRecorded, ModelError) as error:
            raise click.ClickException(str(error)) from error
    if found.differences:
        raise click.ClickException(f"{order_id} differs in {', '.join(found.differences)}: {found}")
    click.echo(f"{order_id}: {found.recorded['decision']}, the same again")


def _read(file: Path) -> RuleSet:
    from workers.fraud.rules import rules as language

    try:
        return language.read(file)
    except language.RulesError as error:
        raise click.ClickException(f"{file}: {error}") from error


@contextmanager
def _database() -> Iterator[tuple[Settings, Engine]]:
    settings = configuration.load()
    with connected(settings) as engine:
        yield settings, engine


def _show(outcome: Backtest, console: Console) -> None:
    console.print(f"{outcome.orders:,} orders, {outcome.frauds:,} of them known to be fraud")
    decisions = Table("decision", "orders", "frauds")
    for decision, count in sorted(outcome.decisions.items()):
        decisions.add_row(decision, f"{count:,}", f"{outcome.frauds_by_decision[decision]:,}")
    console.print(decisions)
    table = Table("rule", "decision", "fired", "on frauds", "on cleared", "rested")
    for name, one in outcome.rules.items():
        table.add_row(name, one.decision, f"{one.fired:,}", f"{one.frauds:,}", f"{one.genuine:,}", f"{one.rested:,}")
    console.print(table)
    for (before, after), count in sorted(outcome.moves.items()):
        console.print(f"{count:,} orders: {before} → {after}")
