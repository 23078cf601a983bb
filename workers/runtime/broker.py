"""Redis as the workers' broker: kombu's transport, which may lose Redis while a message is in hand.

When the connection is lost, kombu 5.7 puts the messages in hand back on the connection that it has just dropped, and
acknowledges them there when they are done: an AttributeError, which ends the worker. Told that the connection is lost,
the worker connects anew; the message is delivered again after the visibility timeout.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis
from redis.exceptions import ConnectionError as ConnectionLost


class Channel(redis.Channel):
    """A channel that says so when its connection is gone."""

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
