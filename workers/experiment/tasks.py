"""The task that watches over a canary."""

from __future__ import annotations

from celery import shared_task

from workers.contract import tasks
from workers.runtime import bootstrap


@shared_task(name=tasks.WATCH_CANARY)
def watch_canary() -> None:
    """Roll the canary that runs back if it does harm."""
    bootstrap.services().watch.look()
