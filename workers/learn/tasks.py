"""The tasks that train. They run on a queue of their own, in a worker of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from celery import Task, shared_task

from storage import due
from workers.contract import tasks
from workers.runtime import bootstrap
from workers.runtime.bootstrap import Services

if TYPE_CHECKING:  # JAX is imported when a training starts
    from model.recommend.loop import Progress
    from workers.fraud.training import Report as FraudReport
    from workers.learn.service import Report
    from workers.search.training import Report as SearchReport

log = logging.getLogger(__name__)


# Acknowledged when it starts: it may run for longer than a message stays invisible, and must not start again then.
@shared_task(name=tasks.TRAIN, bind=True, ignore_result=False, acks_late=False)
def train(self: Task, preset: str | None = None, minutes: float | None = None, seed: int = 0) -> dict[str, Any]:
    """Train a model and publish it; answers the report, with `reasons` if it does not serve, or why there is none."""
    from storage.training import TrainingRuns
    from workers.learn import service  # imports JAX
    from workers.learn.data import NotEnoughData

    services = bootstrap.services()
    asked = service.Training(preset or services.settings.preset, seed=seed, minutes=minutes)
    try:
        report = service.train(services.engine, services.settings, asked, _progress(self))
    except (TrainingRuns, NotEnoughData) as error:
        log.warning("not trained: %s", error)
        return {"published": False, "reason": str(error)}
    return _announced(services, report)


@shared_task(name=tasks.TRAIN_SEARCH, bind=True, ignore_result=False, acks_late=False)
def train_search(self: Task, preset: str = "small", seed: int = 0) -> dict[str, Any]:
    """Train a version of search and publish it; answers the report, or why there is none."""
    from workers.search import training  # imports JAX

    return _of_search(
        lambda services: training.train(
            services.engine, services.settings, preset=preset, seed=seed, progress=_progress(self)
        )
    )


@shared_task(name=tasks.UPDATE_SEARCH, bind=True, ignore_result=False, acks_late=False)
def update_search(self: Task) -> dict[str, Any]:
    """Train search anew if enough is new to the live version; answers the report, or why there is none."""
    from workers.search import waiting

    services = bootstrap.services()
    reason = waiting.reason(services.engine, services.settings)
    if reason is None:
        return {"published": False, "reason": "nothing to learn yet"}
    from workers.search import training  # imports JAX

    log.info("training search: %s", reason)
    return _of_search(lambda services: training.update(services.engine, services.settings, _progress(self)))


@shared_task(name=tasks.FINETUNE, bind=True, ignore_result=False, acks_late=False)
def finetune(self: Task) -> dict[str, Any]:
    """Fine-tune the live model if enough happened since it was trained; answers the report, or why there is none."""
    from storage.training import TrainingRuns
    from workers.learn import waiting
    from workers.learn.data import NotEnoughData

    services = bootstrap.services()
    reason = waiting.reason(services.engine, services.settings)
    if reason is None:
        return {"published": False, "reason": "nothing to learn yet"}
    from workers.learn import finetuning  # imports JAX

    log.info("fine-tuning: %s", reason)
    try:
        report = finetuning.update(services.engine, services.settings, _progress(self))
    except (TrainingRuns, NotEnoughData, finetuning.NothingToLearn) as error:
        log.warning("not fine-tuned: %s", error)
        return {"published": False, "reason": str(error)}
    return _announced(services, report)


@shared_task(name=tasks.DRIFT, ignore_result=False, acks_late=False)
def drift() -> dict[str, Any]:
    """Measure the live model on what happened last; answers the figures and alerts, or why there are none."""
    from model.errors import ModelError
    from workers.learn import window

    services = bootstrap.services()
    try:
        with services.engine.connect() as connection:
            window.choose(connection, services.settings)
        from workers.learn import drift as measuring  # imports JAX

        found = measuring.measure(services.engine, services.settings)
    except window.NothingToMeasure as error:
        return {"measured": False, "reason": str(error)}
    except ModelError as error:
        log.warning("drift is not measured: %s", error)
        return {"measured": False, "reason": str(error)}
    for alert in found.alerts:
        log.warning("drift of %s: %s", found.version, alert)
    return {"measured": True, "version": found.version, "figures": found.figures.as_json(), "alerts": found.alerts}


@shared_task(name=tasks.TRAIN_FRAUD, ignore_result=False, acks_late=False)
def train_fraud(seed: int = 0) -> dict[str, Any]:
    """Train the detector of fraud and publish it; answers the report, or why there is none."""
    from workers.fraud import training  # imports JAX

    return _of_fraud(lambda services: training.train(services.engine, services.settings, seed=seed))


@shared_task(name=tasks.UPDATE_FRAUD, ignore_result=False, acks_late=False)
def update_fraud() -> dict[str, Any]:
    """Let the live detector learn from the labels that came; answers the report, or why there is none."""
    from workers.fraud import waiting

    services = bootstrap.services()
    reason = waiting.reason(services.engine, services.settings)
    if reason is None:
        return {"published": False, "reason": "nothing to learn yet"}
    from workers.fraud import training  # imports JAX

    log.info("updating the detector: %s", reason)
    return _of_fraud(lambda services: training.update(services.engine, services.settings))


@shared_task(name=tasks.FRAUD_DRIFT, ignore_result=False, acks_late=False)
def fraud_drift() -> dict[str, Any]:
    """Measure the live detector on the orders that it judged last; answers the figures and alerts, or why not."""
    from model.errors import ModelError
    from workers.fraud import drift as measuring

    services = bootstrap.services()
    try:
        found = measuring.measure(services.engine, services.settings)
    except (measuring.NothingToMeasure, ModelError) as error:
        return {"measured": False, "reason": str(error)}
    for alert in found.alerts:
        log.warning("drift of %s: %s", found.version, alert)
    return {"measured": True, "version": found.version, "figures": found.figures, "alerts": found.alerts}


def _of_search(work: Callable[[Services], SearchReport]) -> dict[str, Any]:
    from storage.training import TrainingRuns
    from workers.learn.data import NotEnoughData

    services = bootstrap.services()
    try:
        report = work(services)
    except (TrainingRuns, NotEnoughData) as error:
        log.warning("search was not trained: %s", error)
        return {"published": False, "reason": str(error)}
    if not report.published:
        log.warning("%s does not serve: %s", report.version, "; ".join(report.reasons))
    elif services.settings.search:
        services.bell.ring(due.CATALOGUE)
    return asdict(report)


def _of_fraud(work: Callable[[Services], FraudReport]) -> dict[str, Any]:
    from storage.training import TrainingRuns
    from workers.fraud.labelled import NotEnoughOrders

    try:
        report = work(bootstrap.services())
    except (TrainingRuns, NotEnoughOrders) as error:
        log.warning("the detector is not trained: %s", error)
        return {"published": False, "reason": str(error)}
    if not report.published:
        log.warning("%s does not serve: %s", report.version, "; ".join(report.reasons))
    return asdict(report)


def _progress(task: Task) -> Callable[[Progress], None]:
    """Return what tells the log and Flower, where the task's state is PROGRESS, how far a training has come."""

    def report(epoch: Progress) -> None:
        ndcg = "" if epoch.ndcg is None else f", validation NDCG@10 {epoch.ndcg:.4f}"
        line = f"{epoch.phase}: epoch {epoch.epoch} of {epoch.epochs}, loss {epoch.loss:.3f}{ndcg}"
        log.info(line)
        if task.request.id is not None:
            task.send_event("task-progress", result=line)

    return report


def _announced(services: Services, report: Report) -> dict[str, Any]:
    """Ring for what a new version made due, or say why it does not serve; return the report as JSON."""
    if report.published:
        services.bell.ring(*due.SWITCHED)
    else:
        log.warning("%s does not serve: %s", report.version, "; ".join(report.reasons))
    return asdict(report)
