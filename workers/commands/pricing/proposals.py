"""`reshelf pricing` for a running shop: propose, list, approve and reject, stop, take back, and the rules."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click
import msgspec
from rich.console import Console
from rich.table import Table

from workers import settings as configuration
from workers.commands.database import connected
from workers.pricing import rules as contents

if TYPE_CHECKING:
    pass


@click.command()
def propose() -> None:
    """Look at all prices now, and propose better ones."""
    from workers.pricing import proposing
    from workers.registry.errors import NotEnoughData
    from workers.runtime import device

    settings = configuration.load()
    with connected(settings, NotEnoughData) as engine:
        device.prepare(settings.home)
        click.echo(f"{proposing.propose(engine, settings)} proposals; `reshelf pricing proposals` lists them")


@click.command()
@click.option("--state", type=click.Choice(get_args(contents.State)), help="Only those in this state.")
@click.option("--item", help="Only those of this item.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def proposals(state: str | None, item: str | None, limit: int, as_json: bool) -> None:
    """List proposals, the newest first."""
    from storage.pricing import proposals as stored

    with connected(configuration.load()) as engine, engine.connect() as connection:
        rows = [dict(row._mapping) for row in stored.recent(connection, state=state, item=item, most=limit)]
    if as_json:
        click.echo(msgspec.json.encode(rows))
        return
    table = Table("number", "item", "price", "proposed", "state", "why")
    for row in rows:
        told = row["why"] or row["reason"]
        table.add_row(
            str(row["proposal_id"]), row["item_id"], f"{row['price']:g}", f"{row['proposed']:g}", row["state"], told
        )
    Console(highlight=False).print(table)


@click.command()
@click.argument("numbers", type=int, nargs=-1, required=True)
def approve(numbers: tuple[int, ...]) -> None:
    """Approve proposals: they are applied within seconds, if no guardrail is in the way by then."""
    _check_on()
    _decide(numbers, "approved", None)


@click.command()
@click.argument("numbers", type=int, nargs=-1, required=True)
@click.option("--why", help="Kept with the proposal.")
def reject(numbers: tuple[int, ...], why: str | None) -> None:
    """Reject proposals."""
    _decide(numbers, "rejected", why)


@click.command()
def stop() -> None:
    """Stop every change of a price, from now on."""
    _stop(stopped=True)


@click.command()
def resume() -> None:
    """Let approved prices be applied again."""
    _stop(stopped=False)


@click.command()
@click.option("--since", type=click.DateTime(), required=True, help="UTC.")
@click.option("--until", type=click.DateTime(), help="UTC. Default: now.")
def rollback(since: datetime, until: datetime | None) -> None:
    """Give each item the price it had before the changes of a time, unless the shop has set it since."""
    from storage.pricing import proposals as stored
    from workers.keys import operator

    _check_on()
    end = datetime.now(UTC) if until is None else until.replace(tzinfo=UTC)
    with connected(configuration.load()) as engine, engine.begin() as connection:
        items = stored.roll_back(connection, since.replace(tzinfo=UTC), end, _by())
        operator.record(connection, "prices taken back", f"{since.isoformat()} to {end.isoformat()}")
    click.echo(f"{len(items)} prices are being restored")


@click.command()
@click.argument("scope", type=click.Choice(get_args(contents.Scope)), required=False)
@click.argument("name", default="")
@click.option("--set", "file", type=click.Path(path_type=Path, exists=True), help="JSON file with the rules.")
@click.option("--drop", is_flag=True, help="Delete the rules of the scope.")
def rules(scope: str | None, name: str, file: Path | None, drop: bool) -> None:
    """Show all rules, or set or delete those of a SCOPE and its NAME."""
    from storage.pricing import rules as stored
    from workers.keys import operator

    if (file is not None or drop) and (scope is None or (file is not None and drop)):
        raise click.UsageError("--set and --drop need a scope, and are not given together")
    if scope is not None:
        _check_name(scope, name)
    with connected(configuration.load()) as engine, engine.begin() as connection:
        if scope is not None and file is not None:
            stored.put(connection, scope, name, _read(file, scope), _by())
            operator.record(connection, "price rules set", f"{scope} {name}".rstrip())
        elif scope is not None and drop and not stored.drop(connection, scope, name):
            raise click.ClickException(f"there are no rules for {scope} {name}".rstrip())
        elif scope is not None and drop:
            operator.record(connection, "price rules deleted", f"{scope} {name}".rstrip())
        for row in stored.every(connection):
            click.echo(f"{row.scope} {row.name}".rstrip() + f": {msgspec.json.encode(row.rules).decode()}")
        click.echo(f"default: {msgspec.json.encode(contents.DEFAULT).decode()}")
        if stored.is_stopped(connection):
            click.echo("every change of a price is stopped")


@click.command()
@click.argument("scope", type=click.Choice(get_args(contents.Scope)))
@click.argument("name", default="")
def freeze(scope: str, name: str) -> None:
    """Let no price of a SCOPE and its NAME change. Its other rules stay."""
    from storage.pricing import rules as stored
    from workers.keys import operator

    _check_name(scope, name)
    with connected(configuration.load()) as engine, engine.begin() as connection:
        stored.freeze(connection, scope, name, _by())
        operator.record(connection, "prices frozen", f"{scope} {name}".rstrip())
    click.echo(f"{scope} {name}".rstrip() + " is frozen")


@click.command()
@click.argument("scope", type=click.Choice(get_args(contents.Scope)))
@click.argument("name", default="")
def unfreeze(scope: str, name: str) -> None:
    """Let the prices of a SCOPE and its NAME change again, by the rules that it had before."""
    from storage.pricing import rules as stored
    from workers.keys import operator

    _check_name(scope, name)
    with connected(configuration.load()) as engine, engine.begin() as connection:
        if not stored.unfreeze(connection, scope, name, _by()):
            raise click.ClickException(f"{scope} {name}".rstrip() + " is not frozen")
        operator.record(connection, "prices unfrozen", f"{scope} {name}".rstrip())
    click.echo(f"{scope} {name}".rstrip() + " is no longer frozen")


COMMANDS = (propose, proposals, approve, reject, stop, resume, rollback, rules, freeze, unfreeze)


def _check_on() -> None:
    """End the command where no worker applies prices."""
    if not configuration.load().pricing:
        raise click.ClickException("pricing is off, so no worker would change a price; set RESHELF_PRICING=true")


def _check_name(scope: str, name: str) -> None:
    if (scope == "shop") != (not name):
        raise click.UsageError("the scope shop has no name, and every other one has")


def _decide(numbers: tuple[int, ...], state: str, why: str | None) -> None:
    from storage.pricing import proposals as stored
    from workers.keys import operator

    with connected(configuration.load()) as engine:
        for number in numbers:
            with engine.begin() as connection:
                found = stored.get(connection, number)
                if found is None or found.state != stored.PROPOSED:
                    said = "not there" if found is None else found.state
                    raise click.ClickException(f"proposal {number} is {said}")
                stored.decide(connection, number, state, by=_by(), why=why)
                operator.record(connection, f"price {state}", str(number))
            click.echo(f"proposal {number} is {state}")


def _stop(*, stopped: bool) -> None:
    from storage.pricing import rules as stored
    from workers.keys import operator

    with connected(configuration.load()) as engine, engine.begin() as connection:
        stored.stop(connection, _by(), stopped=stopped)
        operator.record(connection, "prices stopped" if stopped else "prices resumed", "all")
    click.echo("every change of a price is stopped" if stopped else "approved prices are applied again")


def _read(file: Path, scope: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=contents.Rules)
        contents.check_scope(scope, found)
    except ValueError as error:  # msgspec's are, too
        raise click.ClickException(f"{file}: {error}") from error
    return contents.dated(msgspec.to_builtins(found), datetime.now(UTC).date())


def _by() -> str:
    from workers.keys import operator

    return f"command:{operator.actor().name}"
