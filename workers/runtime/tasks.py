"""The housekeeping tasks that beat sends."""

from __future__ import annotations

from celery import shared_task

from workers.contract import tasks
from workers.runtime import bootstrap, reconcile


@shared_task(name=tasks.RECONCILE)
def reconcile_due() -> None:
    """Ring for what is due and forgotten."""
    services = bootstrap.services()
    reconcile.reconcile(services.engine, services.bell, services.settings)


@shared_task(name=tasks.MAINTAIN)
def maintain() -> None:
    """Apply the retention settings."""
    services = bootstrap.services()
    reconcile.maintain(services.engine, services.settings)
