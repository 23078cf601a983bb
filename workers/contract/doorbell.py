"""The doorbell: tells the workers that something is due. It carries no data and may be lost.

A bell that was rung and not yet answered is not rung again, so a thousand events make one task. The worker answers
before it claims for the last time: whatever is committed after that rings anew. The mark expires, so a lost task blocks
nothing.
"""

from __future__ import annotations

import logging

from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from workers.contract import client, tasks

log = logging.getLogger(__name__)

TASKS = {
    "shopper": tasks.REFRESH_SHOPPERS,
    "item": tasks.REFRESH_ITEMS,
    "basket": tasks.REFRESH_BASKETS,
    "order": tasks.SCREEN_DUE,
    "actor": tasks.REFRESH_ACTORS,
    "query": tasks.ANSWER,
    "later": tasks.REFRESH_LATER,
    "reason": tasks.EXPLAIN,
    "catalogue": tasks.FOLLOW,
}
_EXPIRES_MS = 2_000


class Doorbell:
    """Rings for due kinds: `shopper`, `item`, `basket`, `actor`, `order`, `query`, `reason`.

    And for shoppers and items that are due `later`, and for a changed `catalogue`.
    """

    def __init__(self, broker_url: str) -> None:
        self._sender = client.sender(broker_url)
        self._redis = Redis.from_url(broker_url, socket_timeout=2, socket_connect_timeout=2, health_check_interval=25)

    def ring(self, *kinds: str) -> bool:
        """Ring for `kinds`. False when the broker cannot be reached; the reconciler rings then."""
        try:
            for kind in kinds:
                if self._redis.set(_key(kind), 1, nx=True, px=_EXPIRES_MS):
                    self._sender.send_task(TASKS[kind], retry=False)
        except (RedisError, OperationalError, OSError) as error:
            log.warning("doorbell for %s not rung: %s", ", ".join(kinds), error)
            return False
        return True

    def answer(self, *kinds: str) -> None:
        """Say that what is due up to now is being looked at."""
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
