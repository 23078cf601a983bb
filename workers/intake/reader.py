"""The reader: takes data messages from their queue in batches, and commits each batch at once.

Celery's overhead per task (a thread, acknowledgements, events) costs more than a single event does. So the intake
worker reads its queue itself. The messages are Celery messages: any Celery client sends them by the name of the task.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from celery import bootsteps
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from reshelf import tasks
from storage.dead_letters import DeadLetter
from storage.events import intake
from workers.capability import queue_of
from workers.intake import messages, service
from workers.intake.group_commit import GroupCommit, Offer
from workers.intake.inbox import MOST_MESSAGES, Inbox
from workers.intake.messages import Unreadable
from workers.privacy import parts as privacy_parts
from workers.runtime import bootstrap, metrics, unhandled
from workers.runtime.bootstrap import Services
from workers.runtime.unhandled import QUEUE_DOOR

log = logging.getLogger(__name__)

# How long the first message of a batch waits for company.
_LINGER_SECONDS = 0.02
_RECOVER_SECONDS = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0


class Reader:
    """Reads an inbox on its own thread, until it is stopped. `routes` has the queue of every other known task."""

    def __init__(self, inbox: Inbox, commit: GroupCommit, *, search: bool, routes: Mapping[str, str]) -> None:
        self._inbox = inbox
        self._commit = commit
        self._doors = service.doors(search=search)
        self._routes = routes
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)

    def start(self) -> None:
        """Start reading."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Stop after the current batch, or at once if it cannot be written; it is read again later then."""
        self._stopped.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopped.is_set():
            try:
                self._inbox.open()
                pause = _FIRST_PAUSE
                self._read()
            except RedisError as error:
                log.warning("the queue of messages cannot be read: %s", error)
            except Exception:  # noqa: BLE001  whatever it was: its messages are still in hand, and others wait
                log.exception("messages were not taken in")
            self._stopped.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        try:
            self._inbox.close()
        except RedisError as error:
            log.warning("what was in hand is taken again later: %s", error)

    def _read(self) -> None:
        """Read until stopped. A batch that fails stays in hand, and is tried again from the queue."""
        recovered = time.monotonic()
        while not self._stopped.is_set():
            batch = self._inbox.take()
            if not batch and (first := self._inbox.wait()) is not None:
                time.sleep(_LINGER_SECONDS)
                batch = [first, *self._inbox.take_more()]
            if batch:
                self._take_in(batch)
            if batch and len(batch) < MOST_MESSAGES:
                time.sleep(_LINGER_SECONDS)
            if time.monotonic() - recovered > _RECOVER_SECONDS:
                self._inbox.recover()
                recovered = time.monotonic()

    def _take_in(self, batch: Sequence[bytes]) -> None:
        """Write a batch, retrying for as long as the database is away, unless the reader is stopped."""
        offers = [offer for raw in batch if (offer := self._offer(raw)) is not None]
        pause = _FIRST_PAUSE
        while True:
            try:
                self._commit.write(offers)
            except SQLAlchemyError as error:
                log.warning("%d messages wait for the database: %s", len(batch), str(error).partition("\n")[0])
                if self._stopped.wait(pause):
                    raise
                self._inbox.stay_alive()
                pause = min(2 * pause, _LONGEST_PAUSE / 2)
            else:
                return

    def _offer(self, raw: bytes) -> Offer | None:
        """Return the rows of a message; None if it was for another queue, or has expired."""
        try:
            message = messages.read(raw)
            if message.is_expired:
                return None
            if (door := self._doors.get(message.task)) is not None:
                return door(message.argument, message.is_plain)
        except Unreadable as error:
            return _letter(raw, str(error))
        except Exception as error:  # noqa: BLE001  one bad message must not stop the others
            log.exception("a message cannot be read")
            return _letter(raw, f"it cannot be read: {error}")
        queue = self._routes.get(message.task)
        if queue is None:
            return _letter(raw, unhandled.unknown(message.task, [*self._doors, *self._routes]))
        self._inbox.forward(queue, raw)
        return None


class Reading(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery ships no types
    """The part of the intake worker that runs the reader."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **_: Any) -> None:
        self._reader: Reader | None = None

    def start(self, worker: Any) -> None:
        """Start the reader."""
        known = worker.app.conf.task_routes
        routes = {name: queue for name in worker.app.tasks if (queue := queue_of(name, known)) is not None}
        self._reader = _reader(bootstrap.services(), routes)
        self._reader.start()

    def stop(self, worker: Any) -> None:
        """Stop the reader after its batch."""
        if self._reader is not None:
            self._reader.stop()
            self._reader = None


def _reader(services: Services, routes: Mapping[str, str]) -> Reader:
    settings = services.settings
    metrics.serve(settings.metrics_port)
    name = f"{socket.gethostname()}:{os.getpid()}"
    broker_url = bootstrap.required(settings.broker_url, "RESHELF_BROKER_URL")
    erased = privacy_parts.erased(services.engine, services.settings)
    commit = GroupCommit(services.engine, services.bell, erased, writer=name)
    return Reader(Inbox(broker_url, tasks.INTAKE_QUEUE, reader=name), commit, search=settings.search, routes=routes)


def _letter(raw: bytes, error: str) -> Offer:
    letter = DeadLetter(QUEUE_DOOR, error, payload=raw.decode(errors="replace"))
    return Offer(intake.EVENTS_DOOR, [], [letter])
