"""`reshelf keys`: make, list, rotate and revoke the API keys of the gateway, and show the audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from workers import settings as configuration
from workers.commands.database import connected
from workers.keys import scopes
from workers.keys.wanted import Wanted

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Row

    from storage.keys.audit import Actor
    from workers.keys.service import Made

_TIME = "%Y-%m-%d %H:%M"
_SHOWN_ONCE = "This is shown once, and stored nowhere. A gateway takes it within a second."


@click.group()
def keys() -> None:
    """Manage the API keys of the gateway. See docs/howto/manage-keys.md."""


@keys.command()
@click.argument("name")
@click.option("--scope", "given", multiple=True, required=True, type=click.Choice(scopes.ALL), help="What it may do.")
@click.option("--owner", default="", help="Who is to be asked about it.")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="Days until it expires.")
@click.option("--rate", type=float, help="Most requests in a second.")
@click.option("--daily", type=int, help="Most requests in a day (UTC).")
def make(
    name: str, given: tuple[str, ...], owner: str, days: float | None, rate: float | None, daily: int | None
) -> None:
    """Make a key called NAME, and print it."""
    from workers.keys import service

    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    values = {"name": name, "scopes": list(given), "owner": owner, "expires_at": expires_at}
    try:
        wanted = msgspec.convert(values | {"rate": rate, "daily": daily}, Wanted)
    except msgspec.ValidationError as error:
        raise click.ClickException(str(error)) from error
    with _changing() as (connection, by):
        made = service.make(connection, wanted, by)
    _tell(made)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def show(as_json: bool) -> None:
    """Show all keys, the newest first, without their secrets."""
    from storage.keys import api_keys

    with _database() as engine, engine.connect() as connection:
        rows = api_keys.every(connection)
    if as_json:
        click.echo(msgspec.json.encode([dict(row._mapping) for row in rows]))
    elif rows:
        Console(highlight=False).print(_table(rows))
    else:
        click.echo("no key yet: `reshelf keys make` makes one")


@keys.command()
@click.argument("key")
@click.option(
    "--overlap-hours",
    default=24.0,
    show_default=True,
    type=click.FloatRange(0, 24 * 90),
    help="Until the old one ends.",
)
def rotate(key: str, overlap_hours: float) -> None:
    """Make another key with the name of KEY (an id or a name), and print it. Both are valid for a while."""
    from workers.keys import service

    with _changing() as (connection, by):
        made = service.rotate(connection, key, by, overlap=timedelta(hours=overlap_hours))
    _tell(made)


@keys.command()
@click.argument("key")
def revoke(key: str) -> None:
    """Revoke KEY: an id, or a name for all keys of that name. Every gateway refuses it within a second."""
    from workers.keys import service

    with _changing() as (connection, by):
        revoked = service.revoke(connection, key, by)
    click.echo(f"revoked {', '.join(revoked)}" if revoked else "it was revoked before")


@keys.command()
@click.option("--last", default=50, show_default=True, type=click.IntRange(1, 1_000), help="How many lines.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def audit(last: int, as_json: bool) -> None:
    """Show the audit trail, the newest line first: who changed keys or decided something."""
    from storage.keys import audit as trail

    with _database() as engine, engine.connect() as connection:
        rows = trail.recent(connection, most=last)
    if as_json:
        click.echo(msgspec.json.encode([dict(row._mapping) for row in rows]))
        return
    for row in rows:
        by = f"{row.actor} ({row.via})"
        detail = msgspec.json.encode(row.detail).decode()
        click.echo(f"{row.at:{_TIME}}  {by}  {row.action}  {row.subject}  {detail}")


@contextmanager
def _database() -> Iterator[Engine]:
    from workers.keys.service import KeyChangeError

    with connected(configuration.load(), KeyChangeError) as engine:
        yield engine


@contextmanager
def _changing() -> Iterator[tuple[Connection, Actor]]:
    """Yield a transaction, and who changes keys by it: the user of this machine."""
    from workers.keys import operator

    with _database() as engine, engine.begin() as connection:
        yield connection, operator.actor()


def _tell(made: Made) -> None:
    click.echo(made.text)
    click.echo(_SHOWN_ONCE, err=True)


def _table(rows: Sequence[Row[Any]]) -> Table:
    table = Table("id", "name", "owner", "scopes", "limits", "made", "expires", "last used")
    for row in rows:
        table.add_row(
            row.key_id,
            escape(row.name),
            escape(row.owner),
            ", ".join(row.scopes),
            ", ".join(_limits(row)),
            f"{row.created_at:{_TIME}}",
            _end(row),
            "" if row.last_used_at is None else f"{row.last_used_at:{_TIME}}",
        )
    return table


def _limits(row: Row[Any]) -> Iterator[str]:
    if row.rate is not None:
        yield f"{row.rate:g}/s"
    if row.daily is not None:
        yield f"{row.daily}/day"


def _end(row: Row[Any]) -> str:
    if row.revoked_at is not None:
        return f"revoked {row.revoked_at:{_TIME}}"
    return "" if row.expires_at is None else f"{row.expires_at:{_TIME}}"
