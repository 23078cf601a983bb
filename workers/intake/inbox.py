"""The inbox: takes messages from a queue in Redis, many at a time, without losing any if the process dies.

A message is moved, in one step, from the queue to this process's own list, and deleted there when its rows are
committed. If a process dies, another one, or the same after a restart, puts its messages back. So a message may be
taken twice, and is never lost; taken again, it has the same rows.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from redis import Redis
from redis.exceptions import OutOfMemoryError

from reshelf import client

log = logging.getLogger(__name__)

# Celery puts a message of priority p (0 to 9) on a list named by the queue, these bytes and p in steps of three.
_SEPARATOR = "\x06\x16"
_PRIORITIES = ("", *(f"{_SEPARATOR}{priority}" for priority in (3, 6, 9)))

_READERS = "reshelf:intake:readers"
_ALIVE_MS = 10_000
_WAIT_SECONDS = 1.0
_FULL_PAUSE_SECONDS = 0.05
MOST_MESSAGES = 500
_MOST_BYTES = 4 * 2**20

# Each script begins with a write that takes no memory: a full Redis refuses all others, unless the script has written
# before. Else it could not be emptied.
_STAY_ALIVE = """
redis.call('SREM', KEYS[2], '')
redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])
redis.call('SADD', KEYS[2], ARGV[2])
"""

# The messages in hand are done, or (with '0') stay in hand; then the oldest waiting messages are taken.
_TAKE = """
redis.call('SREM', KEYS[3], '')
redis.call('SET', KEYS[2], 1, 'PX', ARGV[3])
redis.call('SADD', KEYS[3], ARGV[5])
if ARGV[4] == '1' then redis.call('DEL', KEYS[1]) end
local taken, bytes = {}, 0
for i = 4, #KEYS do
    while #taken < tonumber(ARGV[1]) and bytes < tonumber(ARGV[2]) do
        local message = redis.call('LMOVE', KEYS[i], KEYS[1], 'RIGHT', 'LEFT')
        if not message then break end
        taken[#taken + 1] = message
        bytes = bytes + #message
    end
end
return taken
"""

# The newest is put back first, so that the oldest is next again.
_PUT_BACK = """
local count = 0
redis.call('SREM', KEYS[4], '')
if redis.call('EXISTS', KEYS[2]) == 0 then
    while redis.call('LMOVE', KEYS[1], KEYS[3], 'LEFT', 'RIGHT') do count = count + 1 end
    redis.call('SREM', KEYS[4], ARGV[1])
end
return count
"""


class Inbox:
    """Takes messages from `queue` for the process called `reader`. For one thread. Raises redis' errors.

    Messages that were taken are in hand until the next `take`, which marks them as done.
    """

    def __init__(self, broker_url: str, queue: str, *, reader: str) -> None:
        self._redis: Any = Redis.from_url(broker_url, **client.TRANSPORT_OPTIONS)
        self._reader = reader
        self._queue = queue
        self._take = self._redis.register_script(_TAKE)
        self._put_back = self._redis.register_script(_PUT_BACK)
        self._stay_alive = self._redis.register_script(_STAY_ALIVE)

    def open(self) -> None:
        """Begin with nothing in hand: put back what was.

        From now on, other processes can recover what this one takes.
        """
        self.stay_alive()
        self._redis.delete(_alive(self._reader))
        self.recover()
        self.stay_alive()

    def take(self) -> list[bytes]:
        """Mark what is in hand as done; return the waiting messages, the oldest first, without blocking."""
        return self._taken(done=True)

    def wait(self) -> bytes | None:
        """Return the first message, None if none comes within a second. Nothing may be in hand."""
        self.stay_alive()
        try:
            return self._redis.blmove(self._queue, _hand(self._reader), _WAIT_SECONDS, "RIGHT", "LEFT")  # type: ignore[no-any-return]
        except OutOfMemoryError:
            time.sleep(_FULL_PAUSE_SECONDS)
            return None

    def take_more(self) -> list[bytes]:
        """Return the waiting messages, in addition to those in hand."""
        return self._taken(done=False)

    def stay_alive(self) -> None:
        """Keep what is in hand: a process that does not call this for ten seconds counts as dead."""
        # It may have been removed from the readers meanwhile.
        self._stay_alive(keys=[_alive(self._reader), _READERS], args=[_ALIVE_MS, self._reader])

    def forward(self, queue: str, message: bytes) -> None:
        """Copy a message that is in hand to another queue."""
        self._redis.lpush(queue, message)

    def recover(self) -> int:
        """Put back the messages of processes that died; return how many."""
        count = 0
        for reader in self._redis.smembers(_READERS):
            name = reader.decode()
            keys = [_hand(name), _alive(name), self._queue, _READERS]
            count += int(self._put_back(keys=keys, args=[name]))
        if count:
            log.warning("%d messages of a worker that died are taken again", count)
        return count

    def close(self) -> None:
        """Put back what is in hand, and end."""
        self._redis.delete(_alive(self._reader))
        self.recover()
        self._redis.close()

    def _taken(self, *, done: bool) -> list[bytes]:
        queues = [self._queue + priority for priority in _PRIORITIES]
        keys = [_hand(self._reader), _alive(self._reader), _READERS, *queues]
        return list(self._take(keys=keys, args=[MOST_MESSAGES, _MOST_BYTES, _ALIVE_MS, int(done), self._reader]))


def _hand(reader: str) -> str:
    return f"reshelf:intake:hand:{reader}"


def _alive(reader: str) -> str:
    return f"reshelf:intake:alive:{reader}"
