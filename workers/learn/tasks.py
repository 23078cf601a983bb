"""The task that trains. It runs on a queue of its own, in a worker of its own."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from celery import shared_task

from storage import due
from workers.contract import tasks
from workers.runtime import bootstrap

log = logging.getLogger(__name__)


# Acknowledged when it starts: it may run for longer than a message stays invisible, and must not start again then.
@shared_task(name=tasks.TRAIN, ignore_result=False, acks_late=False)
def train(preset: str | None = None, minutes: float | None = None, seed: int = 0) -> dict[str, Any]:
    """Train a model and publish it; answers the report, with `reasons` if it does not serve, or why there is none."""
    from storage.training import TrainingRuns
    from workers.learn import service  # imports JAX
    from workers.learn.data import NotEnoughData

    services = bootstrap.services()
    asked = service.Training(preset or services.settings.preset, seed=seed, minutes=minutes)
    try:
        report = service.train(services.engine, services.settings, asked)
    except (TrainingRuns, NotEnoughData) as error:
        log.warning("not trained: %s", error)
        return {"published": False, "reason": str(error)}
    if report.published:
        services.bell.ring(due.ITEM, due.SHOPPER)
    else:
        log.warning("%s does not serve: %s", report.version, "; ".join(report.reasons))
    return asdict(report)
