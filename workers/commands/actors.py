"""`reshelf actors`: list the flagged bots and why; flag and clear them by hand."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from reshelf import fields
from workers import settings as configuration
from workers.commands import bell
from workers.commands.database import connected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine, Row

BY = "command"
"""`flagged_by` or `cleared_by` of changes by this command."""


@click.group()
def actors() -> None:
    """Keep click farms and self-promotion from changing what others see. See docs/howto/handle-bots.md."""


@actors.command("list")
@click.option("--cleared", is_flag=True, help="Show cleared shoppers instead of flagged ones.")
@click.option(
    "--last", default=50, show_default=True, type=click.IntRange(1), help="How many to show, the newest first."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def show(cleared: bool, last: int, as_json: bool) -> None:
    """Show who is flagged, by whom, and why."""
    from storage.bots import actors as kept

    with _database() as engine, engine.connect() as connection:
        found = kept.every(connection, flagged=not cleared, most=last)
    if as_json:
        click.echo(msgspec.json.encode([dict(row._mapping) for row in found]))
    elif found:
        Console(highlight=False).print(_table(found))
    else:
        click.echo("nobody was cleared" if cleared else "nobody is flagged")


@actors.command()
@click.argument("shoppers", nargs=-1, required=True)
@click.option("--why", default="by hand", show_default=True, help="The reason, shown in the list.")
def flag(shoppers: tuple[str, ...], why: str) -> None:
    """Flag SHOPPERS.

    Their events are kept, but count only for their own shelf. A shopper without a login is session:ID.
    """
    from storage.bots import actors as kept
    from workers.keys import operator
    from workers.privacy import service

    settings = configuration.load()
    found = [kept.Suspicion(shopper, [kept.BY_HAND], why) for shopper in _named(shoppers)]
    with _database() as engine, engine.begin() as connection:
        flagged = kept.flag(connection, found, by=BY)
        for shopper in flagged:
            operator.record(connection, "actor flagged", service.pseudonym(settings, shopper), why=why)
    _told(flagged, len(found), "flagged", "were already")


@actors.command()
@click.argument("shoppers", nargs=-1, required=True)
def clear(shoppers: tuple[str, ...]) -> None:
    """Clear SHOPPERS.

    All their events count again. For 30 days the detector does not flag them again for the same reasons.
    """
    from storage.bots import actors as kept
    from workers.keys import operator
    from workers.privacy import service

    settings = configuration.load()
    with _database() as engine, engine.begin() as connection:
        cleared = kept.clear(connection, _named(shoppers), by=BY)
        for shopper in cleared:
            operator.record(connection, "actor cleared", service.pseudonym(settings, shopper))
    _told(cleared, len(_named(shoppers)), "cleared", "were not flagged")


def _named(shoppers: Sequence[str]) -> list[str]:
    """Return the shoppers by the form in which events name them."""
    return sorted({fields.identity(shopper) for shopper in shoppers})


def _told(changed: Sequence[str], asked: int, done: str, else_: str) -> None:
    from storage.bots import actors as kept

    if changed:
        bell.ring(configuration.load(), *kept.MOVED)
    rest = asked - len(changed)
    click.echo(f"{len(changed)} {done}" + (f", {rest} {else_}" if rest else ""))


def _database() -> AbstractContextManager[Engine]:
    return connected(configuration.load())


def _table(found: Sequence[Row[Any]]) -> Table:
    table = Table("shopper", "events", "flagged", "by", "reasons", "seen")
    for column in table.columns:
        column.overflow = "fold"
    for row in found:
        cleared = "" if row.flagged else f"\ncleared {row.cleared_at:%Y-%m-%d %H:%M} by {row.cleared_by}"
        reasons = ", ".join(row.reasons)
        table.add_row(
            escape(row.shopper),
            str(row.events),
            f"{row.flagged_at:%Y-%m-%d %H:%M}{cleared}",
            row.flagged_by,
            reasons,
            escape(row.detail),
        )
    return table
