"""Messages that no task takes: kept as dead letters with all that they hold, where Celery would log and drop them.

A name that nobody has, arguments that the task does not have, a body that cannot be read. One of intake's that came to
another queue is passed on. `reshelf dead-letters` shows them, and sends them again.
"""

from __future__ import annotations

import difflib
import inspect
import json
import logging
from collections.abc import Callable, Iterable
from typing import Any

import celery
from celery.worker import request
from celery.worker.consumer import Consumer as _Consumer
from kombu.exceptions import ContentDisallowed, DecodeError
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from reshelf import client, tasks
from storage import dead_letters
from storage.dead_letters import DeadLetter
from workers.runtime import bootstrap, unacknowledged

log = logging.getLogger(__name__)

QUEUE_DOOR = "queue"
"""The source of dead letters that hold a whole message."""

_OF_INTAKE = (tasks.EVENTS, tasks.CATALOGUE, tasks.LABELS)


class Unhandled(TypeError):
    """A task does not take these arguments; raised before it has done anything."""


def only_argument(name: str, arguments: Iterable[Any], named: Iterable[Any]) -> Any:
    """Return the one argument of a task that takes one, by whatever name. Raises `Unhandled`."""
    given = [*arguments, *named]
    if len(given) != 1:
        raise Unhandled(f"{name} takes one argument, a list of rows; {len(given)} were sent")
    return given[0]


def unknown(name: str, known: Iterable[str]) -> str:
    """Return what to say of a message for a task that is not there."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"no task is called {name}" + (f"; did you mean {close[0]}?" if close else "")


class Task(celery.Task):  # type: ignore[misc]  # Celery ships no types
    """A task whose messages are kept where they are none."""

    abstract = True
    Request = f"{__name__}:Request"


class Request(request.Request):  # type: ignore[misc]
    """A message in work."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        """Keep a message of which the task could not even be called, and go on as ever."""
        error = exc_info.exception
        # What a task raises comes with `return_ok`; without it the body could not be read.
        is_unread = not return_ok and isinstance(error, DecodeError | ContentDisallowed | TypeError | ValueError)
        if is_unread or isinstance(error, Unhandled) or (isinstance(error, TypeError) and not self._fits()):
            _keep(self._message, str(error))
        return super().on_failure(exc_info, send_failed_event, return_ok)

    def _fits(self) -> bool:
        """Return whether the task takes these arguments."""
        arguments, named, *_ = self._payload
        try:
            inspect.signature(self.task.run).bind(*arguments, **named)
        except TypeError:
            return False
        return True


class Consumer(_Consumer):  # type: ignore[misc]
    """What hands messages to tasks."""

    def create_task_handler(self, *arguments: Any, **named: Any) -> Callable[[Any], Any]:
        """Return what is called with every message."""
        handle = super().create_task_handler(*arguments, **named)

        def on_task_received(message: Any) -> Any:
            if message.errors or message.content_type != "application/json":
                why = str(message.errors[0][1]) if message.errors else f"its content type is {message.content_type}"
                return self.on_decode_error(message, DecodeError(f"{why}: send JSON (task_serializer='json')"))
            try:
                return handle(message)
            except (TypeError, ValueError, KeyError) as error:
                return self.on_decode_error(message, error)

        return on_task_received

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """Keep what is no message of Celery's."""
        if _keep(message, "it is no message of Celery's: it names no task"):
            super().on_unknown_message(body, message)

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Pass on what is for intake; keep what names no task of ours, and tell a sender who waits for its result."""
        name = str(exc.args[0])
        if name in _OF_INTAKE:
            if _forward(message):
                message.ack_log_error(log, self.connection_errors)
        elif _keep(message, unknown(name, [*self.app.tasks, *_OF_INTAKE])):
            super().on_unknown_task(body, message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Keep what is malformed."""
        if _keep(message, f"it is no message of Celery's: {exc}"):
            super().on_invalid_task(body, message, exc)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Keep what cannot be read."""
        if _keep(message, f"it cannot be read: {exc}"):
            message.ack_log_error(log, self.connection_errors)


def _keep(message: Any, error: str) -> bool:
    """Make the message a dead letter. False where that cannot be done now: left alone, it is delivered again."""
    letter = DeadLetter(QUEUE_DOOR, error, payload=json.dumps(message._raw))
    try:
        with bootstrap.services().engine.begin() as connection:
            dead_letters.add(connection, [letter])
    except SQLAlchemyError:
        log.exception("a message that no task takes could not be kept: %s: %s", error, letter.payload)
        unacknowledged.leave(message)
        return False
    log.error("a message that no task takes is a dead letter now (`reshelf dead-letters`): %s", error)
    return True


def _forward(message: Any) -> bool:
    """Put the message on the queue of intake. False where the broker is away: left alone, it is delivered again."""
    broker_url = bootstrap.required(bootstrap.services().settings.broker_url, "RESHELF_BROKER_URL")
    try:
        with Redis.from_url(broker_url, **client.TRANSPORT_OPTIONS) as redis:
            redis.lpush(tasks.INTAKE_QUEUE, json.dumps(message._raw))
    except (OSError, RedisError) as error:
        log.warning("a message for intake could not be passed on: %s", error)
        unacknowledged.leave(message)
        return False
    return True
