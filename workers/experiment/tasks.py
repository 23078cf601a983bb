"""The task that watches a canary."""

from __future__ import annotations

from celery import shared_task

from reshelf import tasks
from workers.experiment.watch import Watch
from workers.runtime import bootstrap
from workers.runtime.bootstrap import Services


@shared_task(name=tasks.WATCH_CANARY)
def watch_canary() -> None:
    """Roll the running canary back if it does harm."""
    bootstrap.services().part(_watch).look()


def _watch(services: Services) -> Watch:
    return Watch(services.engine, services.bell)
