"""The doorbell: wakes the workers when something is due. It carries no data and may be lost.

A doorbell that was rung and not yet answered is not rung again, so a thousand events make one task. The worker answers
before its last claim: whatever is committed after that rings again. The mark in Redis expires, so a lost task blocks
nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from reshelf import client
from workers.capability import Ring

log = logging.getLogger(__name__)

_EXPIRES_MS = 2_000


class Doorbell:
    """Rings for due kinds; `rings` has what is sent for each (`workers.capabilities.RINGS`)."""

    def __init__(self, broker_url: str, rings: Mapping[str, Ring]) -> None:
        self._rings = rings
        self._sender = client.sender(broker_url)
        self._redis = Redis.from_url(broker_url, socket_timeout=2, socket_connect_timeout=2, health_check_interval=25)

    @property
    def kinds(self) -> Collection[str]:
        """The kinds that can be rung for."""
        return self._rings.keys()

    def ring(self, *kinds: str) -> bool:
        """Ring for `kinds`. False if the broker cannot be reached; the reconciler rings then."""
        try:
            for kind in kinds:
                if self._redis.set(_key(kind), 1, nx=True, px=_EXPIRES_MS):
                    self._sender.send_task(self._rings[kind].task, queue=self._rings[kind].queue, retry=False)
        except (RedisError, OperationalError, OSError) as error:
            log.warning("doorbell for %s not rung: %s", ", ".join(kinds), error)
            return False
        return True

    def answer(self, *kinds: str) -> None:
        """Note that a worker looks at everything that is due up to now."""
        try:
            self._redis.delete(*map(_key, kinds))
        except RedisError as error:
            log.warning("doorbell for %s not answered: %s", ", ".join(kinds), error)

    def close(self) -> None:
        """Close the connections."""
        self._sender.close()
        self._redis.close()


def _key(kind: str) -> str:
    return f"reshelf:doorbell:{kind}"
