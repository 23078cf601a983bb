"""A Celery client that only sends: the producer, the doorbell and the gateway put messages on the queues with it."""

from __future__ import annotations

from typing import Any

import kombu.transport.redis  # noqa: F401  kombu imports it on first use, too late for what is sent at exit
from celery import Celery
from kombu import pools

from reshelf import tasks

# Without timeouts, a peer that vanished without closing the connection blocks the sender forever.
TRANSPORT_OPTIONS: dict[str, Any] = {
    "socket_timeout": 15,
    "socket_connect_timeout": 5,
    "health_check_interval": 25,
    "socket_keepalive": True,
}


class _Sender(Celery):  # type: ignore[misc]  # Celery ships no types
    """Sends without the readable form of the arguments that Celery adds: a sixth of the cost, and nothing reads it."""

    def send_task(self, name: str, *arguments: Any, **options: Any) -> Any:
        return super().send_task(name, *arguments, **{"argsrepr": "(…)", "kwargsrepr": "{}"} | options)


def sender(broker_url: str) -> Celery:
    """Return a client for `broker_url` (redis://…) that sends JSON and routes a shop's messages to their queues."""
    client = _Sender("reshelf", broker=broker_url, set_as_current=False)
    client.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_routes=tasks.ROUTES,
        task_ignore_result=True,
        # Fail fast: callers retry with their own backoff.
        broker_transport_options=TRANSPORT_OPTIONS | {"max_retries": 1, "interval_start": 0.0},
        broker_connection_timeout=5,
        # The process has one limit for all pools: another one would resize those of a shop's own Celery, and fail where
        # they are in use.
        broker_pool_limit=pools.get_limit(),  # type: ignore[no-untyped-call]  # kombu types little
    )
    return client
