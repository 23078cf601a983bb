"""Traffic: messages of one or many events, at a steady rate, from a separate process."""

from __future__ import annotations

import multiprocessing
import random
import time
import uuid
from datetime import UTC, datetime

from benchmarks import shop
from reshelf import client, tasks


class Traffic:
    """Sends `rate` events per second until stopped, in messages of `size` users, from `first_user` on."""

    def __init__(self, broker_url: str, *, rate: int, users: int, items: int, first_user: int, size: int = 1) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        self._sent = context.Value("q", 0)
        self._process = context.Process(
            target=_send, args=(broker_url, rate, users, items, first_user, size, self._stop, self._sent), daemon=True
        )

    def __enter__(self) -> Traffic:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._process.join(30)

    @property
    def sent(self) -> int:
        """How many events were put on the queue."""
        return self._sent.value


def _send(broker_url, rate, users, items, first_user, size, stop, sent) -> None:  # type: ignore[no-untyped-def]
    sender = client.sender(broker_url)
    run = uuid.uuid4().hex[:8]
    draw = random.Random(rate)
    due = time.monotonic()
    n = 0
    while not stop.is_set():
        now = datetime.now(UTC)
        chosen = draw.sample(range(first_user, users), size)
        batch = [
            shop.event(f"live-{run}-{n + m}", user, f"item-{draw.randrange(items)}", now)
            for m, user in enumerate(chosen)
        ]
        sender.send_task(tasks.EVENTS, args=[batch])
        n += size
        sent.value = n
        due += size / rate
        time.sleep(max(0.0, due - time.monotonic()))
