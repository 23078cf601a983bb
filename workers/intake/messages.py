"""Celery messages as any Celery client puts them on a queue (message protocols 2 and 1): the task and its arguments."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import msgspec
from kombu import compression

from reshelf import lenient


class Unreadable(ValueError):
    """It is not a Celery message in JSON; the text says what is wrong."""


class Message(msgspec.Struct, frozen=True):
    """A parsed message: the name of the task, and its arguments."""

    task: str
    arguments: list[Any]
    is_plain: bool
    """Whether no text in it was written with an escape, so that none holds a NUL or half a surrogate pair."""
    expires: datetime | None = None

    @property
    def argument(self) -> Any:
        """The only argument of the task. Raises `Unreadable` if there are none or several."""
        if len(self.arguments) != 1:
            raise Unreadable(f"{self.task} takes one argument, a list of rows; {len(self.arguments)} were sent")
        return self.arguments[0]

    @property
    def is_expired(self) -> bool:
        """Whether its expiry time has passed."""
        return self.expires is not None and self.expires < datetime.now(UTC)


class _Envelope(msgspec.Struct):
    body: str
    headers: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    content_type: str = msgspec.field(default="application/json", name="content-type")


_envelope = msgspec.json.Decoder(_Envelope)
_json = msgspec.json.Decoder()


def read(raw: bytes) -> Message:
    """Return the message. Raises `Unreadable`."""
    try:
        envelope = _envelope.decode(raw)
        if envelope.content_type != "application/json":
            raise Unreadable(f"its content type is {envelope.content_type}: send JSON (task_serializer='json')")
        body = _body(envelope)
        try:
            return _message(envelope.headers, _json.decode(body), is_plain=b"\\u" not in body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # of one row, perhaps
            return _message(envelope.headers, lenient.loads(body), is_plain=False)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"it is no message of Celery's: {error}") from error


def _body(envelope: _Envelope) -> bytes:
    encoded = envelope.properties.get("body_encoding") == "base64"
    body = base64.b64decode(envelope.body) if encoded else envelope.body.encode()
    packed = envelope.headers.get("compression")
    if packed is None:
        return body
    try:
        unpacked: bytes = compression.decompress(body, packed)  # type: ignore[no-untyped-call]  # kombu is typed in part
    except Exception as error:  # each method has its own errors
        raise Unreadable(f"its body cannot be unpacked ({packed}): {error}") from error
    return unpacked


def _message(headers: dict[str, Any], body: Any, *, is_plain: bool) -> Message:
    if isinstance(body, dict):  # protocol 1 has everything in the body
        headers, arguments, named = body, body.get("args") or [], body.get("kwargs") or {}
    elif isinstance(body, list) and len(body) == 3:
        arguments, named = body[0] or [], body[1] or {}
    else:
        raise Unreadable("it is no message of Celery's: its body is neither [args, kwargs, embed] nor an object")
    task = headers.get("task")
    if not isinstance(task, str):
        raise Unreadable("it is no message of Celery's: it names no task")
    return Message(task, [*arguments, *named.values()], is_plain, _time(headers.get("expires")))


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
