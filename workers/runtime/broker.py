"""Redis as the workers' broker: kombu's transport, which may lose Redis while a message is in hand, and its JSON.

A message is taken from its queue and noted as unacknowledged in one step (`unacknowledged.py`).

When the connection is lost, kombu 5.7 puts the messages in hand back on the connection that it has just dropped, and
acknowledges them there when they are done: an AttributeError, which ends the worker. Told that the connection is lost,
the worker connects anew; the message is delivered again after the visibility timeout.

A body of which one row is no JSON is read as far as it goes, so that the task gets the other rows.
"""

from __future__ import annotations

import time
from queue import Empty
from typing import Any

from kombu import serialization, transport
from kombu.transport import TRANSPORT_ALIASES, redis
from kombu.utils import json
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import OutOfMemoryError

from reshelf import lenient
from workers.runtime import unacknowledged

_FULL_PAUSE_SECONDS = 0.05


class Channel(redis.Channel):
    """A channel that loses no message between queue and worker, and says when its connection is gone."""

    QoS = unacknowledged.QoS
    # kombu declares neither with its type.
    _in_poll: Any
    _brpop_sent_at: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.noted: set[str] = set()
        self._unacknowledged_queues: set[str] = set()
        self._served = ""
        self._is_noting = False
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]  # kombu is typed in part

    def basic_consume(self, queue: str, no_ack: bool, *args: Any, **kwargs: Any) -> Any:
        """Consume from a queue; what is in hand is renewed from now on."""
        if no_ack:
            self._unacknowledged_queues.add(queue)
        else:
            unacknowledged.keep_renewing(self.qos)
        return super().basic_consume(queue, no_ack, *args, **kwargs)  # type: ignore[no-untyped-call]

    def _brpop_start(self, timeout: float | None = None) -> None:
        """Ask Redis to say when there is a message, without taking it: moving it to its own place blocks until then.

        Only one list can be waited for: that of the queue that had the last message. Other queues, and messages with a
        priority, are looked at when the wait ends, after a second at most.
        """
        queues = list(self.active_queues)
        self._is_noting = not self._unacknowledged_queues.intersection(queues)
        if not self._is_noting:
            super()._brpop_start(timeout)  # type: ignore[no-untyped-call]
        elif queues:
            queue = self._served if self._served in queues else queues[0]
            connection: Any = self.client.connection
            self._in_poll = connection
            self._brpop_sent_at = time.monotonic()
            wait = (timeout or self.brpop_timeout) / len(queues)
            connection.send_command("BLMOVE", queue, queue, "RIGHT", "RIGHT", wait)

    def _brpop_read(self, **options: Any) -> bool:
        if not self._is_noting:
            return bool(super()._brpop_read(**options))  # type: ignore[no-untyped-call]
        try:
            self.client.parse_response(self.client.connection, "BLMOVE", **options)
        except OutOfMemoryError:
            # A full Redis refuses to move, but not to take. Waiting is left to this process.
            time.sleep(_FULL_PAUSE_SECONDS)
        except self.connection_errors:
            self.client.connection.disconnect()
            raise
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()  # type: ignore[no-untyped-call]
        return self._deliver_next()

    def _deliver_next(self) -> bool:
        """Take a message and hand it to the worker. Raises `Empty` if another worker was quicker."""
        queues = self._queue_cycle.consume(len(self.active_queues))
        lists = [self._q_for_pri(queue, priority) for priority in self.priority_steps for queue in queues]  # type: ignore[no-untyped-call]
        with self.conn_or_acquire() as client:
            taken = unacknowledged.take(client, self.unacked_key, self.unacked_index_key, lists)
        if taken is None:
            raise Empty
        queue = self._served = taken[0].rsplit(self.sep, 1)[0]
        self._queue_cycle.rotate(queue)
        message = json.loads(taken[1].decode())  # type: ignore[no-untyped-call]
        self.noted.add(message["properties"]["delivery_tag"])
        self.connection._deliver(message, queue)
        return True

    def _connparams(self, *args: Any, **kwargs: Any) -> Any:
        if self.connection is None or self.connection.client is None:
            raise ConnectionLost("the connection of this message was lost: it will be delivered again")
        return super()._connparams(*args, **kwargs)  # type: ignore[no-untyped-call]


class Transport(redis.Transport):
    """kombu's transport with that channel."""

    Channel = Channel


def install() -> None:
    """Make it the transport of redis:// and rediss://, also in a process that has connected with kombu's."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
        transport._transport_cache.pop(scheme, None)


def read_leniently() -> None:
    """Let bodies be read as far as they are JSON, in this process."""
    register: Any = serialization.register
    register("json", json.dumps, _loads, content_type="application/json", content_encoding="utf-8")


def _loads(body: Any) -> Any:
    try:
        return json.loads(body)  # type: ignore[no-untyped-call]
    except (ValueError, RecursionError):
        return lenient.loads(body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body))
