"""The upkeep tasks that beat sends."""

from __future__ import annotations

from celery import Task, shared_task

from reshelf import tasks
from workers.runtime import bootstrap
from workers.upkeep import reconcile


@shared_task(name=tasks.RECONCILE, bind=True)
def reconcile_due(self: Task) -> None:
    """Ring for due rows that nobody works on."""
    services = bootstrap.services()
    reconcile.reconcile(services.engine, services.bell, services.settings, self.app.conf["reshelf_gauges"])


@shared_task(name=tasks.MAINTAIN)
def maintain() -> None:
    """Apply the retention settings."""
    services = bootstrap.services()
    reconcile.maintain(services.engine, services.settings)
