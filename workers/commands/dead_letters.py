"""`reshelf dead-letters`: what could not be taken, and sending it again once it can be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import msgspec
from redis import Redis

from reshelf import client, tasks
from workers import capabilities
from workers import settings as configuration
from workers.commands.database import connected
from workers.runtime import bootstrap

if TYPE_CHECKING:
    from sqlalchemy import Row

_TASKS = {"events": tasks.EVENTS, "catalogue": tasks.CATALOGUE, "labels": tasks.LABELS, "orders": tasks.SCREEN}
"""By the source of a letter that holds a row, the task that takes it."""
_KNOWN = {value for name, value in vars(tasks).items() if name.isupper() and str(value).startswith("reshelf.")}
_MESSAGES = "queue"
_SHOWN = 100


@click.group("dead-letters")
def dead_letters() -> None:
    """Rows and messages that could not be taken. See docs/howto/resend-dead-letters.md."""


@dead_letters.command("list")
@click.option("--source", help="Only those of one source: events, catalogue, labels, orders, queue, shopper, ….")
@click.option("--last", default=20, show_default=True, type=click.IntRange(1), help="Show so many, the newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the whole payload.")
def show(source: str | None, last: int, as_json: bool) -> None:
    """Show what could not be taken, and why."""
    from storage import dead_letters as kept

    with connected(configuration.load()) as engine, engine.connect() as connection:
        found = kept.newest(connection, source=source, most=last)
    if as_json:
        click.echo(msgspec.json.encode([dict(row._mapping) for row in found]))
        return
    for row in found:
        named = f" {row.key}" if row.key else ""
        click.echo(
            f"{row.id} {row.at:%Y-%m-%d %H:%M:%S} {row.source}{named}: {row.field or ''} {row.error}"[: _SHOWN * 3]
        )
    if not found:
        click.echo("there are no dead letters")


@dead_letters.command()
@click.argument("ids", nargs=-1, required=True, type=int)
@click.option("--task", help="The task that a whole message is for, where it named another one.")
def resend(ids: tuple[int, ...], task: str | None) -> None:
    """Put the letters IDS on their queues again and delete them: rows as they came, whole messages as they were sent.

    Sending a row twice changes nothing. What still cannot be taken becomes a dead letter anew.
    """
    from storage import dead_letters as kept

    settings = configuration.load()
    broker_url = bootstrap.required(settings.broker_url, "RESHELF_BROKER_URL")
    with connected(settings) as engine, engine.begin() as connection:
        letters = kept.take(connection, ids)
        if missing := sorted(set(ids) - {letter.id for letter in letters}):
            raise click.ClickException(f"there is no dead letter {', '.join(map(str, missing))}")
        # All is looked at before anything is sent; what is deleted here comes back where sending fails.
        sent = [_message(letter, task) for letter in letters]
        with Redis.from_url(broker_url, **client.TRANSPORT_OPTIONS) as redis, client.sender(broker_url) as sender:
            for name, content in sent:
                if isinstance(content, list):
                    sender.send_task(name, args=[content], queue=capabilities.queue_of(name))
                else:
                    redis.lpush(capabilities.queue_of(name), json.dumps(content))
    click.echo(f"{len(sent)} sent again")


def _message(letter: Row[Any], task: str | None) -> tuple[str, Any]:
    """Return the task, and the rows for it, or the whole message as it lies on a queue."""
    payload = json.loads(letter.payload)
    if letter.source in _TASKS:
        return _TASKS[letter.source], [payload]
    if letter.source != _MESSAGES:
        raise click.ClickException(
            f"{letter.id} is due work ({letter.source}), no message: docs/howto/resend-dead-letters.md has the way"
        )
    try:
        message = json.loads(payload)
        name = task or message["headers"]["task"]
        message["headers"]["task"] = name
    except (ValueError, TypeError, KeyError) as error:
        raise click.ClickException(f"{letter.id} holds no message of Celery's that names a task") from error
    if name not in _KNOWN:
        raise click.ClickException(
            f"{letter.id} is for {name}, which no task is called: name the right one with --task"
        )
    return name, message
