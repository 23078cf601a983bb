"""A training as a task: how far it has come, and what it answers when it ends, or could not begin."""

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
    """What a training tells of itself, a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def version(self) -> str:
        """The version that was made."""

    @property
    def published(self) -> bool:
        """Whether it serves."""

    @property
    def reasons(self) -> list[str]:
        """Why it does not, although it was to."""


def run(train: Callable[[], Report], *, published: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """Return the report of a training, or why there is none. `published` is called where the version serves."""
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
    """Return the same, where there is a `reason` to train."""
    if reason is None:
        return {"published": False, "reason": "nothing to learn yet"}
    log.info("learning on: %s", reason)
    return run(train, published=published)


def progress(task: Task) -> Callable[[Progress], None]:
    """Return what tells the log and Flower, where the task's state is PROGRESS, how far a training has come."""

    def report(epoch: Progress) -> None:
        ndcg = "" if epoch.ndcg is None else f", validation NDCG@10 {epoch.ndcg:.4f}"
        line = f"{epoch.phase}: epoch {epoch.epoch} of {epoch.epochs}, loss {epoch.loss:.3f}{ndcg}"
        log.info(line)
        if task.request.id is not None:
            task.send_event("task-progress", result=line)

    return report
