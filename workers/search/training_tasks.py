"""The tasks that train search. They run on the training queue, in its own worker."""

from __future__ import annotations

from functools import partial
from typing import Any

from celery import Task, shared_task

from reshelf import tasks
from storage import due
from workers.registry import task_answers
from workers.registry.task_answers import Report
from workers.runtime import bootstrap
from workers.runtime.bootstrap import Services


@shared_task(name=tasks.TRAIN_SEARCH, bind=True, ignore_result=False, acks_late=False)
def train_search(self: Task, preset: str = "small", seed: int = 0) -> dict[str, Any]:
    """Train a version of search and publish it; return the report, or why there is none."""
    from workers.search import training  # imports JAX

    services, progress = bootstrap.services(), task_answers.progress(self)
    work = partial(training.train, services.engine, services.settings, preset=preset, seed=seed, progress=progress)
    return task_answers.run(work, published=partial(_ring, services))


@shared_task(name=tasks.UPDATE_SEARCH, bind=True, ignore_result=False, acks_late=False)
def update_search(self: Task) -> dict[str, Any]:
    """Train search again if enough is new to the live version; return the report, or why there is none."""
    from workers.search import waiting

    services = bootstrap.services()

    def update() -> Report:
        from workers.search import training  # imports JAX

        return training.update(services.engine, services.settings, task_answers.progress(self))

    reason = waiting.reason(services.engine, services.settings)
    return task_answers.run_if_due(reason, update, published=partial(_ring, services))


def _ring(services: Services) -> None:
    if services.settings.search:
        services.bell.ring(due.CATALOGUE)
