"""A training as a Celery task: its progress, and its result when it ends or cannot begin."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from storage.registry.training import TrainingRuns
from workers.registry.errors import NotEnoughData

if TYPE_CHECKING:
    from celery import Task

    from model.recommend.training.loop import Progress

log = logging.getLogger(__name__)


class Report(Protocol):
    """The report of a training, a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def version(self) -> str:
        """The new version."""

    @property
    def published(self) -> bool:
        """Whether it is live."""

    @property
    def reasons(self) -> list[str]:
        """Why it is not live, although it was to be."""


def run(train: Callable[[], Report], *, published: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """Run a training; return its report, or why there is none. `published` is called if the new version is live."""
    try:
        report = train()
    except (TrainingRuns, NotEnoughData) as error:
        log.warning("not trained: %s", error)
        return {"published": False, "reason": str(error)}
    if report.published:
        published()
    else:
        log.warning("%s does not serve: %s", report.version, "; ".join(report.reasons))
    return asdict(report)


def run_if_due(
    reason: str | None, train: Callable[[], Report], *, published: Callable[[], object] = lambda: None
) -> dict[str, Any]:
    """Do the same if there is a `reason` to train."""
    if reason is None:
        return {"published": False, "reason": "nothing to learn yet"}
    log.info("learning on: %s", reason)
    return run(train, published=published)


def progress(task: Task) -> Callable[[Progress], None]:
    """Return a function that reports a training's progress to the log and to Flower (the task's state PROGRESS)."""

    def report(epoch: Progress) -> None:
        ndcg = "" if epoch.ndcg is None else f", validation NDCG@10 {epoch.ndcg:.4f}"
        line = f"{epoch.phase}: epoch {epoch.epoch} of {epoch.epochs}, loss {epoch.loss:.3f}{ndcg}"
        log.info(line)
        if task.request.id is not None:
            task.send_event("task-progress", result=line)

    return report
