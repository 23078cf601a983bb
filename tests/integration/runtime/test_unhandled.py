"""Messages that no task takes: real workers on real servers keep them, and a command sends them again."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from click.testing import CliRunner, Result
from redis import Redis
from sqlalchemy import Engine

from reshelf import tasks
from storage import engine
from tests.support import stack, waiting
from tests.support.stack import Stack
from workers import settings as configuration
from workers.cli import main

DEEP = "[" * 10_000 + "]" * 10_000


@pytest.fixture
def shop(database: Engine, database_url: str, broker_url: str, tmp_path: Path) -> Iterator[Stack]:
    settings = stack.settings_for(tmp_path, database_url, broker_url, fraud=True)
    running = Stack(settings, engine.connect(database_url))
    for name in ("intake", "fraud"):
        running.start(name, "worker", name)
    try:
        yield running
    finally:
        running.stop()
        running.database.dispose()


def event(name: str) -> dict[str, Any]:
    return {"event_id": name, "kind": "view", "at": "2026-03-01T12:00:00Z", "user_id": "u", "item_id": "i"}


def order(name: str, **given: Any) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {"order_id": name, "customer_id": "c", "at": at, "amount": 5, "currency": "eur"} | given


def reshelf(shop: Stack, *arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env=configuration.to_environ(shop.settings))


def letters(shop: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(reshelf(shop, "dead-letters", "list", "--json").output)
    return found


def raw(shop: Stack, queue: str, task: str, body: str) -> None:
    """Put a message on a queue as no Celery client would write it."""
    name = str(uuid.uuid4())
    message = {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"task": task, "id": name, "root_id": name, "lang": "py", "retries": 0},
        "properties": {
            "body_encoding": "base64", "delivery_tag": name, "delivery_info": {"exchange": "", "routing_key": queue},
            "correlation_id": name, "delivery_mode": 2, "priority": 0,
        },
    }  # fmt: skip
    with Redis.from_url(str(shop.settings.broker_url)) as redis:
        redis.lpush(queue, json.dumps(message))


def orders(shop: Stack) -> set[str]:
    return {name for (name,) in shop.query("SELECT order_id FROM screenings")}


def test_nothing_that_a_sender_gets_wrong_is_lost(shop: Stack) -> None:
    client = Celery("shop", broker=str(shop.settings.broker_url), backend=str(shop.settings.broker_url))
    client.set_default()
    # A name that nobody has, on both kinds of queue; arguments that a task does not have; no JSON.
    client.send_task("reshelf.intake.event", args=[[event("misspelt")]], queue="intake")
    client.send_task("reshelf.fraud.scren", args=[[order("misspelt")]], queue="fraud")
    client.send_task(tasks.SCREEN_DUE, args=[[order("no such argument")]], queue="fraud")
    client.send_task(tasks.SCREEN, args=[[order("two")], [order("arguments")]], queue="fraud")
    raw(shop, "fraud", tasks.SCREEN, "no JSON")
    raw(shop, "fraud", tasks.SCREEN, json.dumps([[order("no embed")]]))
    # These are taken: a named argument, another's queue, and good rows beside what is none.
    client.send_task(tasks.EVENTS, kwargs={"events": [event("named")]}, queue="intake")
    client.send_task(tasks.EVENTS, args=[[event("elsewhere")]], queue="fraud")
    client.send_task(tasks.SCREEN, kwargs={"orders": [order("o-named")]}, queue="fraud")
    rows = f"[{json.dumps(order('o-1'))}, {DEEP}, 1e999, oops, {json.dumps(order('o-2', ip='unknown'))}]"
    raw(shop, "fraud", tasks.SCREEN, f"[[{rows}], {{}}, {{}}]")
    rows = f'[{json.dumps(event("e-1"))}, {DEEP}, NaN, oops, "\\ud800", {json.dumps(event("e-2"))}]'
    raw(shop, "intake", tasks.EVENTS, f'[[], {{"rows": {rows}}}, {{}}]')

    def taken() -> bool:
        events = {name for (name,) in shop.query("SELECT event_id FROM events")}
        return events == {"named", "elsewhere", "e-1", "e-2"} and orders(shop) == {"o-named", "o-1", "o-2"}

    waiting.wait_until(taken, what="good rows are taken")
    waiting.wait_until(lambda: len(letters(shop)) == 13, what="dead letters")
    found = letters(shop)
    assert sorted(one["source"] for one in found) == ["events"] * 4 + ["orders"] * 3 + ["queue"] * 6
    whole = {one["error"]: one for one in found if one["source"] == "queue"}
    assert sum("did you mean" in error for error in whole) == 2
    [misspelt] = [one for error, one in whole.items() if "reshelf.fraud.screen?" in error]
    assert "misspelt" in base64.b64decode(json.loads(json.loads(misspelt["payload"]))["body"]).decode()

    # What was misspelt is sent again by its right name, a row once it can be taken.
    done = reshelf(shop, "dead-letters", "resend", str(misspelt["id"]), "--task", tasks.SCREEN)
    assert done.output == "1 sent again\n"
    waiting.wait_until(lambda: "misspelt" in orders(shop), what="it is screened")
    assert misspelt["id"] not in {one["id"] for one in letters(shop)}
    shown = reshelf(shop, "dead-letters", "list", "--source", "orders").output
    assert "1e999 is a number out of range" in shown


def test_what_cannot_be_sent_again_says_why(
    database: Engine, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    from storage import dead_letters
    from storage.dead_letters import DeadLetter

    shop = Stack(stack.settings_for(tmp_path, database_url, broker_url), database)
    with database.begin() as connection:
        dead_letters.add(
            connection, [DeadLetter("shopper", "x", key="u"), DeadLetter("queue", "x", payload="nonsense")]
        )
        dead_letters.add(connection, [DeadLetter("events", "x", payload=event("again"))])
    row, message, due = (one["id"] for one in letters(shop))
    for identity, says in (
        (due, "is due work"),
        (message, "no message of Celery's"),
        (10**6, "there is no dead letter"),
    ):
        assert says in reshelf(shop, "dead-letters", "resend", str(identity)).output
    assert len(letters(shop)) == 3
    assert reshelf(shop, "dead-letters", "resend", str(row)).exit_code == 0
    with Redis.from_url(broker_url) as redis:
        [sent] = redis.lrange("intake", 0, -1)
    assert json.loads(base64.b64decode(json.loads(sent)["body"]))[0] == [[event("again")]]
    assert len(letters(shop)) == 2
