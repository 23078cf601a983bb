"""Messages as Celery clients put them on a queue: every protocol and packing is read, and nonsense says what it is."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from kombu import Connection, Exchange, Queue

from workers.intake import messages
from workers.intake.messages import Unreadable


def _sent(batch: Any, *, protocol: int = 2, **options: Any) -> bytes:
    """Return the message that a Celery client sends, as it lies in its broker."""
    client = Celery("shop", broker="memory://", set_as_current=False)
    client.conf.update(task_protocol=protocol)
    with Connection("memory://") as connection:
        producer = client.amqp.Producer(connection)
        queue = Queue("intake", Exchange(""), routing_key="intake")
        channel = connection.default_channel
        queue(channel).declare()
        client.send_task("reshelf.intake.events", args=[batch], queue=queue, producer=producer, **options)
        return json.dumps(channel._get("intake")).encode()


@pytest.mark.parametrize("protocol", [1, 2])
@pytest.mark.parametrize("compression", [None, "gzip", "bzip2"])
def test_what_a_celery_client_sends_is_read(protocol: int, compression: str | None) -> None:
    found = messages.read(_sent([{"event_id": "e1"}], protocol=protocol, compression=compression))
    assert (found.task, found.argument) == ("reshelf.intake.events", [{"event_id": "e1"}])
    assert not found.is_expired


def test_an_argument_may_be_named() -> None:
    body = base64.b64encode(json.dumps([[], {"batch": [1]}, {}]).encode()).decode()
    raw = {"body": body, "headers": {"task": "t"}, "properties": {"body_encoding": "base64"}}
    assert messages.read(json.dumps(raw).encode()).argument == [1]


def test_a_message_expires_when_its_sender_says_so() -> None:
    assert messages.read(_sent([], expires=datetime.now(UTC) - timedelta(seconds=5))).is_expired
    assert not messages.read(_sent([], expires=60)).is_expired


def test_a_text_with_escapes_is_not_taken_for_plain() -> None:
    assert messages.read(_sent(["plain"])).is_plain
    assert not messages.read(_sent(["\x00"])).is_plain
    assert not messages.read(_sent(["手机"])).is_plain  # Celery escapes it


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"nonsense", "no message of Celery's"),
        (b"[1, 2]", "no message of Celery's"),
        (b'{"body": "???", "properties": {"body_encoding": "base64"}, "headers": {"task": "t"}}', "no message"),
        (b'{"body": "[[1], {}, {}]", "headers": {}}', "names no task"),
        (b'{"body": "3", "headers": {"task": "t"}}', "neither"),
        (b'{"body": "[[1, 2], {}, {}]", "headers": {"task": "t"}}', "one argument"),
        (b'{"body": "x", "headers": {"task": "t"}, "content-type": "application/x-python-serialize"}', "send JSON"),
        (b'{"body": "x", "headers": {"task": "t", "compression": "gzip"}}', "unpacked"),
        (b'{"body": "' + b"[" * 100_000 + b'", "headers": {"task": "t"}}', "no message of Celery's"),
    ],
)
def test_what_is_no_message_says_what_is_wrong(raw: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        assert messages.read(raw).argument
