"""The tasks that train the fraud detector. They run on the training queue, in its own worker."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery import shared_task

from reshelf import tasks
from workers.registry import task_answers
from workers.registry.task_answers import Report
from workers.runtime import bootstrap

log = logging.getLogger(__name__)


@shared_task(name=tasks.TRAIN_FRAUD, ignore_result=False, acks_late=False)
def train_fraud(seed: int = 0) -> dict[str, Any]:
    """Train the fraud detector and publish it; return the report, or why there is none."""
    from workers.fraud.training import learning  # imports JAX

    services = bootstrap.services()
    return task_answers.run(partial(learning.train, services.engine, services.settings, seed=seed))


@shared_task(name=tasks.UPDATE_FRAUD, ignore_result=False, acks_late=False)
def update_fraud() -> dict[str, Any]:
    """Update the live detector with new labels; return the report, or why there is none."""
    from workers.fraud.training import waiting

    services = bootstrap.services()

    def update() -> Report:
        from workers.fraud.training import learning  # imports JAX

        return learning.update(services.engine, services.settings)

    return task_answers.run_if_due(waiting.reason(services.engine, services.settings), update)


@shared_task(name=tasks.FRAUD_DRIFT, ignore_result=False, acks_late=False)
def fraud_drift() -> dict[str, Any]:
    """Measure the live detector on the orders that it judged last; return the figures and alerts, or why not."""
    from model.errors import ModelError
    from workers.fraud.training import drift as measuring

    services = bootstrap.services()
    try:
        found = measuring.measure(services.engine, services.settings)
    except (measuring.NothingToMeasure, ModelError) as error:
        return {"measured": False, "reason": str(error)}
    for alert in found.alerts:
        log.warning("drift of %s: %s", found.version, alert)
    return {"measured": True, "version": found.version, "figures": found.figures, "alerts": found.alerts}
