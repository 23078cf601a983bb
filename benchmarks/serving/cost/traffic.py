"""The sender: a shop's backend in a separate process, which knows only a queue and a task name of reshelf."""

from __future__ import annotations

import multiprocessing
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any

from celery import Celery

from benchmarks import shop

QUEUE = "intake"
_TASK = "reshelf.intake.events"
_PATIENCE = 60.0


@dataclass(frozen=True)
class Load:
    """`rate` events per second for `seconds`, `batch` of them per message, each of another shopper.

    Shoppers are those from `first_user` to before `users`. Ids of events start with `prefix`.
    """

    prefix: str
    rate: int
    batch: int
    seconds: float
    first_user: int
    users: int
    items: int


@dataclass(frozen=True)
class Sent:
    """How many events and messages were put on the queue, in how many seconds, and the sender's own `cpu` seconds."""

    events: int
    messages: int
    seconds: float
    cpu: float


class Sender:
    """Sends one load. It is connected and ready when created."""

    def __init__(self, broker_url: str, load: Load) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._load = load
        self._process = context.Process(target=_serve, args=(broker_url, load, theirs), daemon=True)
        self._process.start()
        self._hear(_PATIENCE)

    def run(self) -> Sent:
        """Send everything and return the counts. Raises RuntimeError if the sender failed."""
        self._ours.send(None)
        sent: Sent = self._hear(self._load.seconds + _PATIENCE)
        self._process.join(_PATIENCE)
        return sent

    def _hear(self, timeout: float) -> Any:
        until = time.monotonic() + timeout
        while time.monotonic() < until and self._process.is_alive():
            if self._ours.poll(0.5):
                return self._ours.recv()
        raise RuntimeError("the sender failed, see above, or is far behind")


def _serve(broker_url: str, load: Load, pipe: Connection) -> None:
    client = Celery("shop", broker=broker_url, set_as_current=False)
    with client.connection_for_write() as connection:
        connection.ensure_connection(max_retries=3)
    pipe.send(None)
    pipe.recv()
    pipe.send(_send(client, load))


def _send(client: Celery, load: Load) -> Sent:
    draw = random.Random(load.prefix)
    messages = round(load.seconds * load.rate / load.batch)
    computed, began = time.process_time(), time.monotonic()
    for message in range(messages):
        time.sleep(max(0.0, began + message * load.batch / load.rate - time.monotonic()))
        now = datetime.now(UTC)
        users = draw.sample(range(load.first_user, load.users), load.batch)
        rows = [
            shop.event(f"{load.prefix}{message}-{n}", user, f"item-{draw.randrange(load.items)}", now)
            for n, user in enumerate(users)
        ]
        client.send_task(_TASK, args=[rows], queue=QUEUE, ignore_result=True)
    took, cpu = time.monotonic() - began, time.process_time() - computed
    return Sent(messages * load.batch, messages, took, cpu)
