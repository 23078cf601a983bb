"""The doors for messages. Each retries for as long as the database is away or not migrated."""

from __future__ import annotations

from typing import Any

import msgspec
from celery import shared_task
from sqlalchemy.exc import SQLAlchemyError

from workers.contract import tasks
from workers.intake import service
from workers.runtime import bootstrap

_OPTIONS: dict[str, Any] = {
    # Three monitoring events a message cost as much as the message. Intake is measured by its Prometheus counters.
    "send_events": False,
    "autoretry_for": (SQLAlchemyError,),
    "max_retries": None,
    "retry_backoff": 1,
    "retry_backoff_max": 30,
}


@shared_task(name=tasks.EVENTS, **_OPTIONS)
def take_events(batch: Any) -> Any:
    """Take in behaviour events."""
    return msgspec.to_builtins(service.take_events(batch, bootstrap.services().intake))


@shared_task(name=tasks.CATALOGUE, **_OPTIONS)
def take_changes(batch: Any) -> Any:
    """Take in catalogue changes."""
    services = bootstrap.services()
    return msgspec.to_builtins(service.take_changes(batch, services.intake, search=services.settings.search))


@shared_task(name=tasks.LABELS, **_OPTIONS)
def take_labels(batch: Any) -> Any:
    """Take in labels of orders."""
    return msgspec.to_builtins(service.take_labels(batch, bootstrap.services().intake))
