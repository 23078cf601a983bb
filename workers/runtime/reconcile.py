"""Reconciling: a lost message or a dead worker is made good here, at the latest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Engine

from storage import due, item_vectors, retention
from storage.due import Backlog
from workers.contract.doorbell import Doorbell
from workers.runtime import metrics
from workers.settings import Settings


def reconcile(engine: Engine, bell: Doorbell, settings: Settings) -> list[str]:
    """Bury rows that used up their attempts and ring for every kind of which something is free; return those kinds."""
    with engine.begin() as connection:
        due.bury(connection, max_attempts=settings.max_attempts)
        backlogs = due.summary(connection)
    _measure(backlogs)
    kinds = to_ring(backlogs)
    bell.ring(*kinds)
    return kinds


def to_ring(backlogs: Sequence[Backlog]) -> list[str]:
    """Return the kinds of which something is due that nobody works on."""
    return [backlog.kind for backlog in backlogs if backlog.claimable]


def maintain(engine: Engine, settings: Settings) -> list[str]:
    """Drop what is past its retention and what past models left; return the names of the dropped partitions."""
    with engine.begin() as connection:
        item_vectors.forget_past_versions(connection)
        return retention.apply(connection, timedelta(days=settings.event_retention_days))


def _measure(backlogs: Sequence[Backlog]) -> None:
    for kind in (due.SHOPPER, due.ITEM, due.BASKET):
        found = next((backlog for backlog in backlogs if backlog.kind == kind), None)
        metrics.DUE.labels(kind).set(found.count if found else 0)
        metrics.OLDEST_DUE.labels(kind).set(found.oldest_seconds if found else 0)
