"""The Celery application. Importing it connects to nothing and imports no JAX."""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery
from celery.signals import after_setup_logger, worker_ready

from reshelf import client, tasks
from workers import capabilities
from workers import settings as configuration
from workers.runtime import broker, unacknowledged
from workers.settings import Settings


def build(settings: Settings) -> Celery:
    """Return the application for these settings."""
    broker.install()
    application = Celery(
        "reshelf",
        broker=settings.broker_url,
        task_cls="workers.runtime.unhandled:Task",
        include=["workers.declaring", *(module for capability in capabilities.ALL for module in capability.tasks)],
    )
    application.conf.update(_configuration(settings))
    return application


def _configuration(settings: Settings) -> dict[str, Any]:
    return {
        "accept_content": ["json"],
        "task_routes": capabilities.ROUTES,
        "task_default_queue": tasks.RUNTIME_QUEUE,
        "result_backend": settings.broker_url,
        "result_expires": 300,
        "task_ignore_result": True,
        # A message is acknowledged when its work is done: after a crash another worker gets it, but not forever.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_retry_on_worker_lost": True,
        "task_acks_on_timeout": True,
        "task_acks_on_failure_or_timeout": True,
        "worker_prefetch_multiplier": 1,
        "worker_consumer": "workers.runtime.unhandled:Consumer",
        # A process that owns a device must not be forked from one that has threads, and it compiles before it answers.
        "worker_pool_start_method": "spawn",
        "worker_proc_alive_timeout": 180,
        "worker_soft_shutdown_timeout": 10,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_send_task_events": True,
        "worker_hijack_root_logger": False,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": client.TRANSPORT_OPTIONS
        | {
            # A worker renews what it has in hand, so this is how long a dead one's messages wait, not a limit of tasks.
            **unacknowledged.KEYS,
            # Putting back takes milliseconds; a worker that is killed meanwhile holds up the others for no longer.
            "unacked_mutex_expire": 2,
            "visibility_timeout": settings.visibility_timeout,
            # Look for messages of dead workers every five seconds, not every hundred.
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
        },
        "redis_socket_timeout": client.TRANSPORT_OPTIONS["socket_timeout"],
        "redis_socket_connect_timeout": client.TRANSPORT_OPTIONS["socket_connect_timeout"],
        "redis_backend_health_check_interval": client.TRANSPORT_OPTIONS["health_check_interval"],
        "reshelf_gauges": list(capabilities.gauges()),
        "beat_schedule": {
            name: beat.entry(settings)
            for capability in capabilities.ALL
            if capability.is_on(settings)
            for name, beat in capability.beats.items()
        },
    }


@worker_ready.connect
def _look_for_work(sender: Any, **_: object) -> None:
    """Look for due rows when a worker starts, so that its model is loaded before the first shopper needs it."""
    sender.app.send_task(tasks.RECONCILE)


@after_setup_logger.connect
def _hush(**_: object) -> None:
    """Silence two log lines per message: the metrics say the same, and they cost a third of the message."""
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)


app = build(configuration.load())
