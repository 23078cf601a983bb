"""The messages that workers have taken from a queue in Redis and not acknowledged, and which of them are overdue.

kombu pops a message and only then notes it as unacknowledged: a process that dies between the two loses it. Here one
script in Redis does both. A worker renews the time of what it has in hand every few seconds, so a message whose time is
older than the visibility timeout is that of a worker that died; however long a task takes, its message stays.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kombu.transport import redis, virtual
from redis.exceptions import OutOfMemoryError

log = logging.getLogger(__name__)

KEYS = {
    # Other applications on the same Redis have kombu's own names, and renew nothing.
    "unacked_key": "reshelf:unacked",
    "unacked_index_key": "reshelf:unacked:index",
    "unacked_mutex_key": "reshelf:unacked:mutex",
}

# The clock is that of Redis, the same for all workers. What kombu stores: the message, its exchange, its routing key.
_TAKE = """
local function text(value) return type(value) == 'string' and value or '' end
for i = 3, #KEYS do
    local raw = redis.call('RPOP', KEYS[i])
    if raw then
        local read, message = pcall(cjson.decode, raw)
        local properties = read and type(message) == 'table' and message.properties
        if type(properties) == 'table' and type(properties.delivery_tag) == 'string' then
            local to = type(properties.delivery_info) == 'table' and properties.delivery_info or {}
            local origin = cjson.encode(text(to.exchange)) .. ',' .. cjson.encode(text(to.routing_key))
            redis.call('HSET', KEYS[1], properties.delivery_tag, '[' .. raw .. ',' .. origin .. ']')
            redis.call('ZADD', KEYS[2], redis.call('TIME')[1], properties.delivery_tag)
        end
        return {KEYS[i], raw}
    end
end
return false
"""

# A full Redis refuses what takes memory, unless the script has written before: so the first write takes none.
_RENEW = """
redis.call('ZREM', KEYS[1], '')
local now = redis.call('TIME')[1]
for _, tag in ipairs(ARGV) do redis.call('ZADD', KEYS[1], 'XX', now, tag) end
"""

_OVERDUE = "return redis.call('ZRANGE', KEYS[1], '-inf', redis.call('TIME')[1] - ARGV[1], 'BYSCORE')"

# Workers of older versions noted under kombu's own names: what is of our tasks there becomes a note of this version.
_ADOPT = """
for _, tag in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', redis.call('TIME')[1] - ARGV[1], 'BYSCORE')) do
    local held = redis.call('HGET', KEYS[2], tag)
    local read, note = pcall(cjson.decode, held or '')
    local headers = read and type(note) == 'table' and type(note[1]) == 'table' and note[1].headers
    local task = type(headers) == 'table' and headers.task
    if type(task) == 'string' and string.sub(task, 1, #ARGV[2]) == ARGV[2] then
        redis.call('HDEL', KEYS[2], tag)
        redis.call('ZREM', KEYS[1], tag)
        redis.call('HSET', KEYS[3], tag, held)
        redis.call('ZADD', KEYS[4], 0, tag)
    end
end
"""
_KOMBU_KEYS = ("unacked_index", "unacked")
_KOMBU_SECONDS = 300
"""How long a worker of a version before might work on a message."""
_OURS = "reshelf."
"""What the names of our tasks begin with."""

_RENEW_SECONDS = 1.0

_living: weakref.WeakSet[QoS] = weakref.WeakSet()
_renewing = threading.Lock()


class QoS(redis.QoS):
    """kombu's record of what a channel has in hand, of messages that `take` has already noted in Redis."""

    def append(self, message: Any, delivery_tag: str) -> None:
        """Record a message of this channel."""
        if delivery_tag in self.channel.noted:
            self.channel.noted.discard(delivery_tag)
            virtual.QoS.append(self, message, delivery_tag)  # type: ignore[no-untyped-call]  # kombu is typed in part
        else:
            super().append(message, delivery_tag)  # type: ignore[no-untyped-call]

    @contextmanager
    def pipe_or_acquire(self, pipe: Any = None, client: Any = None) -> Iterator[Any]:
        """Yield what commands are sent with. A full Redis would refuse a transaction, of acknowledgements too."""
        if pipe is not None:
            yield pipe
        else:
            with self.channel.conn_or_acquire(client) as connected:
                yield connected.pipeline(transaction=False)

    def restore_visible(self, *_: Any, **__: Any) -> None:
        """Put back the messages of workers that died."""
        with self.channel.conn_or_acquire() as client:
            try:
                with redis.Mutex(client, self.unacked_mutex_key, self.unacked_mutex_expire):
                    adopt(client, self.unacked_key, self.unacked_index_key)
                    for tag in overdue(client, self.unacked_index_key, self.visibility_timeout):
                        log.warning("message %s of a worker that died is delivered again", tag)
                        self.restore_by_tag(tag, client)  # type: ignore[no-untyped-call]
            except redis.MutexHeld:
                pass
            except OutOfMemoryError as error:
                log.warning("messages of workers that died wait until Redis has memory: %s", error)

    def renew(self) -> None:
        """Say that this process still has in hand what it has."""
        tags = [tag for tag in list(self._delivered) if tag not in self._dirty]
        if tags and not self.channel.closed:
            with self.channel.conn_or_acquire() as client:
                client.register_script(_RENEW)(keys=[self.unacked_index_key], args=tags)


def leave(message: Any) -> None:
    """Let go of a message that cannot be handled now: it is delivered again after the visibility timeout."""
    virtual.QoS.ack(message.channel.qos, message.delivery_tag)  # type: ignore[no-untyped-call]  # not Redis' note of it


def take(client: Any, unacked: str, index: str, lists: Sequence[str]) -> tuple[str, bytes] | None:
    """Move the oldest message of the first list that has one to the unacknowledged; return (list, message) or None.

    What has no delivery tag, and so is no message of kombu's, is removed and returned without a note.
    """
    found = client.register_script(_TAKE)(keys=[unacked, index, *lists], args=[])
    return None if not found else (found[0].decode(), found[1])


def adopt(client: Any, unacked: str, index: str) -> None:
    """Take over the messages of our tasks that workers of an older version had in hand, and died with."""
    client.register_script(_ADOPT)(keys=[*_KOMBU_KEYS, unacked, index], args=[_KOMBU_SECONDS, _OURS])


def overdue(client: Any, index: str, seconds: float) -> list[str]:
    """Return the delivery tags that nobody has renewed for so many seconds, the oldest first."""
    return [tag.decode() for tag in client.register_script(_OVERDUE)(keys=[index], args=[seconds])]


def keep_renewing(qos: QoS) -> None:
    """Renew what this record holds, for as long as its channel is open, from a thread that the process has once."""
    _living.add(qos)
    if _renewing.acquire(blocking=False):
        threading.Thread(target=_renew_all, name="unacknowledged", daemon=True).start()


def _renew_all() -> None:
    while True:
        time.sleep(_RENEW_SECONDS)
        for qos in list(_living):
            try:
                qos.renew()
            except Exception as error:  # noqa: BLE001  whatever it is: without this thread, tasks would run twice
                log.warning("what this worker has in hand is not renewed: %s", error)
