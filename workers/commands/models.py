"""`reshelf models`: the versions, how good they are, and which is live."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from workers import settings as configuration
from workers.commands import bell
from workers.commands.database import connected
from workers.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from workers.registry.promotion import Switched
    from workers.registry.reports import Difference

CAPABILITIES = ("recommend", "search", "fraud")
_TIME = "%Y-%m-%d %H:%M"
_DIGITS = 4


@click.group()
def models() -> None:
    """List and compare model versions, and make another one live."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_versions(as_json: bool) -> None:
    """Show every version, the newest first: how it was made, the result of the gate, and which one is live."""
    from storage.registry import models as registry
    from workers.registry.reports import ndcg, reasons

    with _database() as (_, engine), engine.connect() as connection:
        rows = registry.versions(connection)
        lives = (registry.live(connection, capability) for capability in registry.CAPABILITIES)
        serving = {live.version for live in lives if live is not None}
    if as_json:
        described = [
            dict(row._mapping) | {"live": row.version in serving, "reasons": reasons(row), "ndcg@10": ndcg(row)}
            for row in rows
        ]
        _print_json(described)
        return
    console = Console(highlight=False)
    if not rows:
        console.print("No version yet: `reshelf train` makes one.")
        return
    console.print(_list_table(rows, serving))
    for row in rows:
        for reason in reasons(row):
            console.print(f"{row.version} was rejected: {reason}", markup=False)


@models.command()
@click.argument("one")
@click.argument("other")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def compare(one: str, other: str, as_json: bool) -> None:
    """Show the metrics of two versions side by side, and where their origin and config differ."""
    from workers.registry import reports

    with _database() as (_, engine):
        found = reports.compare(engine, one, other)
    if as_json:
        versions = {"one": one, "other": other}
        _print_json(versions | {part: [line._asdict() for line in lines] for part, lines in found.items()})
        return
    console = Console(highlight=False)
    for part, lines in found.items():
        if lines:
            console.print(_comparison(part, lines, one, other))
        else:
            console.print(f"{part}: the same")


@models.command()
@click.argument("version")
@click.option("--force", is_flag=True, help="Make it live although the gate rejected it.")
def promote(version: str, force: bool) -> None:
    """Make VERSION live, after verifying its folder."""
    from workers.registry import promotion

    with _switching() as (settings, engine):
        switched = promotion.promote(engine, settings.home, version, force=force)
    _tell(settings, switched)


@models.command()
@click.option("--of", "capability", type=click.Choice(CAPABILITIES), default=CAPABILITIES[0], show_default=True)
def rollback(capability: str) -> None:
    """Make the version live that the live one replaced."""
    from workers.registry import promotion

    with _switching() as (settings, engine):
        switched = promotion.rollback(engine, settings.home, capability)
    _tell(settings, switched)


@models.command()
@click.option("--last", type=click.IntRange(min=1), default=10, show_default=True, help="How many measurements.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def drift(last: int, as_json: bool) -> None:
    """Show the last measurements of live versions, the newest first: how far each has moved since it was published."""
    from storage.registry import drift as measurements

    with _database() as (_, engine), engine.connect() as connection:
        rows = measurements.newest(connection, most=last)
    if as_json:
        _print_json([dict(row._mapping) for row in rows])
        return
    console = Console(highlight=False)
    if not rows:
        console.print("No measurement yet: the training worker measures the live version every hour.")
        return
    console.print(_drift_table(rows))
    for row in rows:
        if row.alert is not None:
            console.print(f"{row.measured_at.strftime(_TIME)}, {row.version}: {row.alert}", markup=False)


@contextmanager
def _database() -> Iterator[tuple[Settings, Engine]]:
    from storage.registry.models import UnknownVersion

    settings = configuration.load()
    with connected(settings, UnknownVersion) as engine:
        yield settings, engine


@contextmanager
def _switching() -> Iterator[tuple[Settings, Engine]]:
    """Yield the database for a command that switches versions: it loads weights, and so JAX."""
    from workers.registry.promotion import NotPromoted
    from workers.registry.switching import Overtaken

    with _database() as (settings, engine):
        try:
            yield settings, engine
        except (NotPromoted, Overtaken) as error:
            raise click.ClickException(str(error)) from error


def _tell(settings: Settings, switched: Switched) -> None:
    from storage import due

    capability = switched.version.partition("-")[0]
    rings = {"recommend": due.SWITCHED, "search": (due.CATALOGUE,)}
    bell.ring(settings, *rings.get(capability, ()))
    before = f" instead of {switched.previous}" if switched.previous else ""
    then = ", then rank every shelf anew" if capability == "recommend" else ""
    click.echo(f"{switched.version} serves{before}. Workers load it beside the old one{then}.")


def _list_table(rows: Sequence[Any], serving: Collection[str]) -> Table:
    from workers.registry.reports import ndcg

    table = Table("", "version", "made", "how", "parent", "learnt", "gate", "NDCG@10")
    table.columns[-1].justify = "right"
    for row in rows:
        figure = ndcg(row)
        table.add_row(
            "live" if row.version in serving else "",
            row.version,
            row.created_at.strftime(_TIME),
            row.how,
            row.parent or "",
            _window(row),
            _gate(row),
            "" if figure is None else f"{figure:.{_DIGITS}f}",
            style="bold" if row.version in serving else "dim" if row.forgotten_at else None,
        )
    return table


def _drift_table(rows: Sequence[Any]) -> Table:
    table = Table("measured", "version", "window", "")
    for name in (
        "events",
        "unknown items",
        "new shoppers",
        "PSI",
        "hits / expected",
        "ECE",
        "NDCG@10",
        "HR@10",
        "cases",
    ):
        table.add_column(name, justify="right")
    for row in rows:
        figures = row.figures
        error = figures.get("ndcg_at_10_error")
        table.add_row(
            row.measured_at.strftime(_TIME),
            row.version,
            f"{row.window_start.strftime(_TIME)} to {row.window_end.strftime(_TIME)}",
            "" if row.alert is None else "alert",
            _value(figures.get("events")),
            *(_value(figures.get(name)) for name in ("unknown_items", "new_shoppers", "psi", "calibration_ratio")),
            _value(figures.get("calibration_error")),
            _value(figures.get("ndcg_at_10")) + ("" if error is None else f" ± {error:.{_DIGITS}f}"),
            _value(figures.get("hit_rate_at_10")),
            _value(figures.get("cases")),
            style=None if row.alert is None else "red",
        )
    return table


def _window(row: Any) -> str:
    if row.learnt_through is None:
        return ""
    start = "" if row.learnt_from is None else row.learnt_from.strftime(_TIME)
    return f"{start} to {row.learnt_through.strftime(_TIME)}"


def _gate(row: Any) -> str:
    if row.forgotten_at is not None:
        return "deleted"
    if row.gate is None:
        return "not asked"
    if not row.gate["passed"]:
        return "rejected"
    compared = row.gate["compared_with"]
    return "passed" if compared else "passed, compared with nothing"


def _comparison(part: str, lines: Sequence[Difference], one: str, other: str) -> Table:
    table = Table("", one, other, title=part, title_justify="left", header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    if part == "metrics":
        table.add_column("change", justify="right")
    for line in lines:
        change = [] if part != "metrics" else ["" if line.change is None else f"{line.change:+.{_DIGITS}f}"]
        table.add_row(line.name, _value(line.one), _value(line.other), *change)
    return table


def _value(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.{_DIGITS}f}" if isinstance(value, float) else str(value)


def _print_json(value: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=str)))
