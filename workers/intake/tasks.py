"""The doors for messages. Each retries while the database is away, for as long as Celery keeps the message."""

from __future__ import annotations

from typing import Any

import msgspec
from celery import shared_task
from sqlalchemy.exc import OperationalError

from workers.contract import tasks
from workers.intake import service
from workers.runtime import bootstrap

_RETRY: dict[str, Any] = {
    "autoretry_for": (OperationalError,),
    "max_retries": None,
    "retry_backoff": 1,
    "retry_backoff_max": 30,
}


@shared_task(name=tasks.EVENTS, **_RETRY)
def take_events(batch: Any) -> Any:
    """Take in behaviour events."""
    services = bootstrap.services()
    return msgspec.to_builtins(service.take_events(batch, commit=services.intake, bell=services.bell))


@shared_task(name=tasks.CATALOGUE, **_RETRY)
def take_changes(batch: Any) -> Any:
    """Take in catalogue changes."""
    services = bootstrap.services()
    return msgspec.to_builtins(service.take_changes(batch, commit=services.intake, bell=services.bell))
