"""The task that erases."""

from __future__ import annotations

from celery import shared_task

from reshelf import tasks
from storage import due
from workers.runtime import bootstrap


@shared_task(name=tasks.ERASE)
def erase() -> None:
    """Erase everybody whose erasure runs."""
    from workers.privacy import erasing  # imports NumPy

    services = bootstrap.services()
    services.bell.answer(due.ERASURE)
    erasing.work(services.engine, services.settings)
