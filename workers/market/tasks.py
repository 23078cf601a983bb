"""The task that refreshes the market analysis."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from reshelf import tasks
from workers.runtime import bootstrap


@shared_task(name=tasks.REFRESH_MARKET, ignore_result=False, acks_late=False)
def refresh() -> dict[str, Any]:
    """Analyse the market if it is time to and something was bought since; return the version, or why there is none."""
    from workers.market import refreshing

    services = bootstrap.services()
    reason = refreshing.not_due(services.engine, services.settings)
    if reason is not None:
        return {"version": None, "reason": reason}

    from workers.runtime import device

    device.prepare(services.settings.home)
    return refreshing.answer(services.engine)
