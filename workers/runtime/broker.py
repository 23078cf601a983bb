"""Redis as the workers' broker: kombu's transport, which may lose Redis while a message is in hand, and its JSON.

When the connection is lost, kombu 5.7 puts the messages in hand back on the connection that it has just dropped, and
acknowledges them there when they are done: an AttributeError, which ends the worker. Told that the connection is lost,
the worker connects anew; the message is delivered again after the visibility timeout.

A body of which one row is no JSON is read as far as it goes, so that the task gets the other rows.
"""

from __future__ import annotations

from typing import Any

from kombu import serialization
from kombu.transport import TRANSPORT_ALIASES, redis
from kombu.utils import json
from redis.exceptions import ConnectionError as ConnectionLost

from reshelf import lenient


class Channel(redis.Channel):
    """A channel that raises `ConnectionLost` when its connection is gone."""

    def _connparams(self, *args: Any, **kwargs: Any) -> Any:
        if self.connection is None or self.connection.client is None:
            raise ConnectionLost("the connection of this message was lost: it will be delivered again")
        return super()._connparams(*args, **kwargs)  # type: ignore[no-untyped-call]  # kombu is typed in part


class Transport(redis.Transport):
    """kombu's transport with that channel."""

    Channel = Channel


def install() -> None:
    """Make it the transport of redis:// and rediss://."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"


def read_leniently() -> None:
    """Let bodies be read as far as they are JSON, in this process."""
    register: Any = serialization.register
    register("json", json.dumps, _loads, content_type="application/json", content_encoding="utf-8")


def _loads(body: Any) -> Any:
    try:
        return json.loads(body)  # type: ignore[no-untyped-call]
    except (ValueError, RecursionError):
        return lenient.loads(body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body))
