"""The producer: sends a shop's events and catalogue changes in batches, in the background.

    with Producer("redis://localhost:6379/0") as producer:
        producer.event(event_id="e1", kind="click", at=datetime.now(UTC), user_id="ann", item_id="4711")

No row is dropped silently: `flush` and `close` return how many rows were delivered and how many were not.
"""

from __future__ import annotations

import atexit
import logging
import os
import random
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from kombu.exceptions import OperationalError

from reshelf import client, tasks
from reshelf.catalogue import Change
from reshelf.events import Event

log = logging.getLogger(__name__)

Row = dict[str, Any]
OnUndelivered = Callable[[str, list[Row], str], None]


class Report(msgspec.Struct, frozen=True):
    """How many rows reached the broker, how many were given up, and how many are still pending."""

    delivered: int
    undelivered: int
    pending: int


class Producer:
    """Batches rows by size and time, and sends them with retries from its own thread.

    A batch goes out when it has `batch_size` rows, or `linger` seconds after its first row. It is tried `max_attempts`
    times with exponential backoff, then counted as undelivered and handed to `on_undelivered(task, rows, error)`. The
    same happens to rows that arrive while `max_pending` rows wait. Safe to use from many threads, and after a fork.
    """

    def __init__(
        self,
        broker_url: str,
        *,
        batch_size: int = 100,
        linger: float = 0.05,
        max_pending: int = 100_000,
        max_attempts: int = 8,
        on_undelivered: OnUndelivered | None = None,
    ) -> None:
        self._broker_url = broker_url
        self._batch_size = batch_size
        self._linger = linger
        self._max_pending = max_pending
        self._max_attempts = max_attempts
        self._on_undelivered = on_undelivered
        self._closed = False
        self._reset()
        _close_at_exit(self)

    def event(self, event: Event | None = None, /, **fields: Any) -> None:
        """Send an event, given as a message or by its fields. Raises `msgspec.ValidationError` if it is not valid."""
        self._put(tasks.EVENTS, event if event is not None else msgspec.convert(fields, Event))

    def change(self, change: Change | None = None, /, **fields: Any) -> None:
        """Send a catalogue change, given as a message or by its fields (`kind` says which kind of change).

        Raises `msgspec.ValidationError` if it is not valid.
        """
        self._put(tasks.CATALOGUE, change if change is not None else msgspec.convert(fields, Change))

    def flush(self, timeout: float = 30.0) -> Report:
        """Wait up to `timeout` seconds until nothing is pending; return the counts."""
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._pending == 0, timeout)
            self._flushing -= 1
            return Report(self._delivered, self._undelivered, self._pending)

    def close(self, timeout: float = 30.0) -> Report:
        """Flush, stop the thread and return the final counts; rows that are still pending then are undelivered."""
        report = self.flush(timeout)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if report.pending:
            log.error("%d rows were not delivered to the broker within %.0f s", report.pending, timeout)
        return Report(report.delivered, report.undelivered + report.pending, 0)

    def __enter__(self) -> Producer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reset(self) -> None:
        """Start empty: a forked child must not send the rows that its parent will send."""
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._queues: dict[str, deque[Row]] = {tasks.CATALOGUE: deque(), tasks.EVENTS: deque()}
        self._pending = self._delivered = self._undelivered = self._flushing = 0
        self._thread: threading.Thread | None = None

    def _put(self, task: str, message: Event | Change) -> None:
        row: Row = msgspec.to_builtins(message)
        if self._pid != os.getpid():
            self._reset()
        with self._changed:
            if self._closed:
                raise RuntimeError("this producer is closed: make a new one")
            if self._pending < self._max_pending:
                self._queues[task].append(row)
                self._pending += 1
                self._start()
                self._changed.notify_all()
                return
            self._undelivered += 1
        self._give_up(task, [row], f"more than {self._max_pending} rows are pending")

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="reshelf-producer", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        sender = client.sender(self._broker_url)
        while (batch := self._next_batch()) is not None:
            task, rows = batch
            error = self._send(partial(sender.send_task, task, args=[rows], retry=False))
            if error:  # before they count as done: when `close` returns, `on_undelivered` has been called for them
                self._give_up(task, rows, error)
            with self._changed:
                self._pending -= len(rows)
                self._delivered += 0 if error else len(rows)
                self._undelivered += len(rows) if error else 0
                self._changed.notify_all()
        sender.close()

    def _next_batch(self) -> tuple[str, list[Row]] | None:
        """Wait for a full batch, or `linger` seconds after the first row; None once closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or any(self._queues.values()))
            self._changed.wait_for(self._is_ripe, self._linger)
            for task, queue in self._queues.items():
                if queue:
                    return task, [queue.popleft() for _ in range(min(self._batch_size, len(queue)))]
            return None

    def _is_ripe(self) -> bool:
        full = any(len(queue) >= self._batch_size for queue in self._queues.values())
        return full or self._closed or self._flushing > 0

    def _send(self, send: Callable[[], object]) -> str | None:
        """Send with retries; return the last error if all of them failed."""
        error = ""
        for attempt in range(self._max_attempts):
            try:
                send()
            except (OperationalError, OSError) as failure:
                error = str(failure)
                log.warning("broker not reached (attempt %d of %d): %s", attempt + 1, self._max_attempts, error)
                time.sleep(backoff(attempt))
            except Exception as failure:  # noqa: BLE001  whatever it was, the caller must learn about these rows
                log.exception("rows for the broker cannot be sent")
                return str(failure)
            else:
                return None
        return error

    def _give_up(self, task: str, rows: list[Row], error: str) -> None:
        log.error("%d rows for %s were not delivered: %s", len(rows), task, error)
        if self._on_undelivered is not None:
            self._on_undelivered(task, rows, error)


def backoff(attempt: int, *, first: float = 0.1, longest: float = 5.0) -> float:
    """Return the seconds to wait after failed attempt number `attempt` (from 0): exponential, half of it random."""
    return min(longest, first * 2.0**attempt) * random.uniform(0.5, 1.0)  # spreads retries; no secret


def _close_at_exit(producer: Producer) -> None:
    """Flush when the interpreter exits, without keeping an unused producer alive until then."""
    reference = weakref.ref(producer)

    def close() -> None:
        if (still_there := reference()) is not None and not still_there._closed:
            still_there.close()

    atexit.register(close)
