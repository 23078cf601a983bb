"""`reshelf privacy`: export, erase and look for what is kept of a person."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import msgspec

from reshelf import fields
from workers import settings as configuration
from workers.commands import bell
from workers.commands.database import connected
from workers.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine, Row

_LOOK_SECONDS = 0.5


@click.group()
def privacy() -> None:
    """Show and erase what is kept of a person. See docs/explanation/privacy.md."""


@privacy.command()
@click.argument("user")
@click.option("--wait", default=0.0, type=click.FloatRange(min=0), help="Seconds to wait until it is done.")
def erase(user: str, wait: float) -> None:
    """Erase USER, or a visitor by session:ID, and print the receipt.

    From now on what comes of them is dropped. Exit status 1 if it is not done after --wait seconds.
    """
    from storage import due
    from workers.keys import operator
    from workers.privacy import service

    settings = configuration.load()
    with _database(settings) as engine:
        with engine.begin() as connection:
            receipt = service.begin(connection, settings, _named(user), operator.actor())
        bell.ring(settings, due.ERASURE)
        row = _awaited(engine, receipt, wait)
    click.echo(_shown(row))
    sys.exit(0 if row.done_at is not None or not wait else 1)


@privacy.command()
@click.argument("receipt")
def receipt(receipt: str) -> None:
    """Show how far the erasure of RECEIPT is, and how many rows it deleted, by table."""
    with _database(configuration.load()) as engine:
        row = _awaited(engine, receipt, 0.0)
    click.echo(_shown(row))


@privacy.command()
@click.argument("user")
@click.option("--out", type=click.File("wb"), default="-", help="File to write to. Default: standard output.")
def export(user: str, out: BinaryIO) -> None:
    """Write everything that is kept of USER, as JSON."""
    from workers.keys import operator
    from workers.privacy import exporting, mentions, service

    settings = configuration.load()
    with _database(settings) as engine:
        with engine.begin() as connection:
            operator.record(connection, "person exported", service.pseudonym(settings, _named(user)))
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            found = exporting.Export(connection, mentions.forms(user))
            while piece := found.next_piece():
                out.write(piece)


@privacy.command()
@click.argument("user")
def scan(user: str) -> None:
    """Look for USER in every table, in Redis and in the home folder, and print the places as JSON.

    It takes long where there is much. Exit status 1 if the id was found.
    """
    from redis import Redis

    from workers.privacy import scanning

    settings = configuration.load()
    with _database(settings) as engine:
        redis = None if settings.broker_url is None else Redis.from_url(settings.broker_url)
        found = scanning.scan(_named(user), engine=engine, redis=redis, home=Path(settings.home))
    click.echo(msgspec.json.format(msgspec.json.encode(scanning.places(found))))
    sys.exit(1 if found else 0)


def _awaited(engine: Engine, receipt: str, seconds: float) -> Row[Any]:
    """Return the receipt's row once it is done, or after some seconds."""
    from storage.privacy import receipts

    until = time.monotonic() + seconds
    while True:
        with engine.connect() as connection:
            row = receipts.read(connection, receipt)
        if row is None:
            raise click.ClickException(f"there is no erasure {receipt!r}")
        if row.done_at is not None or time.monotonic() >= until:
            return row
        time.sleep(_LOOK_SECONDS)


def _named(user: str) -> str:
    """Return the user by the form in which events name them."""
    try:
        return fields.checked(user, "user_id")
    except ValueError as error:
        raise click.ClickException(f"{user!r} is no id of a user: {error}") from error


def _shown(row: Row[Any]) -> str:
    values = dict(row._mapping) | {"state": "running" if row.done_at is None else "done"}
    return msgspec.json.format(msgspec.json.encode(values)).decode()


def _database(settings: Settings) -> AbstractContextManager[Engine]:
    from storage.privacy.receipts import OtherSecret

    return connected(settings, OtherSecret)
