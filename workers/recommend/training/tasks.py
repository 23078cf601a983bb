"""The tasks that train the recommender. They run on their own queue, in their own worker."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery import Task, shared_task

from reshelf import tasks
from storage import due
from workers.registry import task_answers
from workers.registry.task_answers import Report
from workers.runtime import bootstrap

log = logging.getLogger(__name__)


# Acknowledged when it starts: where it ends its worker, it must not end the next one, too.
@shared_task(name=tasks.TRAIN, bind=True, ignore_result=False, acks_late=False)
def train(self: Task, preset: str | None = None, minutes: float | None = None, seed: int = 0) -> dict[str, Any]:
    """Train a model and publish it; return the report, with `reasons` if it is not live, or why there is none."""
    from workers.recommend.training import full_training  # imports JAX

    services = bootstrap.services()
    asked = full_training.Training(preset or services.settings.preset, seed=seed, minutes=minutes)
    work = partial(full_training.train, services.engine, services.settings, asked, task_answers.progress(self))
    return task_answers.run(work, published=partial(services.bell.ring, *due.SWITCHED))


@shared_task(name=tasks.FINETUNE, bind=True, ignore_result=False, acks_late=False)
def finetune(self: Task) -> dict[str, Any]:
    """Fine-tune the live model if enough happened since it was trained; return the report, or why there is none.

    Where no model was ever live, the first one is trained as soon as there is enough to judge it by.
    """
    from workers.recommend.training import waiting

    services = bootstrap.services()
    progress = task_answers.progress(self)
    published = partial(services.bell.ring, *due.SWITCHED)

    def update() -> Report:
        from workers.recommend.training import finetuning  # imports JAX

        return finetuning.update(services.engine, services.settings, progress)

    def train_first() -> Report:
        from workers.recommend.training import full_training  # imports JAX

        return full_training.train_first(services.engine, services.settings, progress)

    first = waiting.reason_for_first(services.engine, services.settings)
    if first is not None:
        return task_answers.run_if_due(first, train_first, published=published)
    reason = waiting.reason(services.engine, services.settings)
    return task_answers.run_if_due(reason, update, published=published)


@shared_task(name=tasks.DRIFT, ignore_result=False, acks_late=False)
def drift() -> dict[str, Any]:
    """Measure the live model on recent events; return the figures and alerts, or why there are none."""
    from model.errors import ModelError
    from workers.recommend.training import window

    services = bootstrap.services()
    try:
        with services.engine.connect() as connection:
            window.choose(connection, services.settings)
        from workers.recommend.training import drift as measuring  # imports JAX

        found = measuring.measure(services.engine, services.settings)
    except window.NothingToMeasure as error:
        return {"measured": False, "reason": str(error)}
    except ModelError as error:
        log.warning("drift is not measured: %s", error)
        return {"measured": False, "reason": str(error)}
    for alert in found.alerts:
        log.warning("drift of %s: %s", found.version, alert)
    return {"measured": True, "version": found.version, "figures": found.figures.as_json(), "alerts": found.alerts}
