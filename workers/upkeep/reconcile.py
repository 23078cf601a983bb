"""Reconciling: the periodic recovery from lost messages and dead workers."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from sqlalchemy import Engine

from storage import due, retention
from storage.due import Backlog
from storage.experiment import experiments
from storage.recommend import item_vectors
from storage.registry import drift, models, training
from workers.doorbell import Doorbell
from workers.registry import model_store
from workers.runtime import metrics
from workers.settings import Settings

log = logging.getLogger(__name__)


def reconcile(engine: Engine, bell: Doorbell, settings: Settings, gauges: Iterable[str] = ()) -> list[str]:
    """Bury rows that used up their attempts, and ring for every kind with free rows; return those kinds.

    `gauges` names functions (`module:function`) that set gauges from the database.
    """
    with engine.begin() as connection:
        due.bury(connection, max_attempts=settings.max_attempts)
        backlogs = due.summary(connection)
        for gauge in gauges:
            module, function = gauge.split(":")
            getattr(importlib.import_module(module), function)(connection)
    _measure(backlogs, bell.kinds)
    kinds = to_ring(backlogs)
    # The search worker is woken every time: it may have just started, or have missed a change of the catalogue.
    kinds = [*kinds, due.CATALOGUE] if settings.search else [kind for kind in kinds if kind != due.QUERY]
    bell.ring(*kinds)
    return kinds


def to_ring(backlogs: Sequence[Backlog]) -> list[str]:
    """Return the kinds with due rows that nobody works on; for shoppers and items also `LATER`."""
    apart = (due.SHOPPER, due.ITEM)  # rows of these that are due `later` are for the background worker
    now = [b.kind for b in backlogs if b.claimable or (b.claimable_later and b.kind not in apart)]
    later = any(b.claimable_later for b in backlogs if b.kind in apart)
    return [*now, *([due.LATER] if later else [])]


def maintain(engine: Engine, settings: Settings) -> list[str]:
    """Delete what is past its retention and what old models left; return the names of the dropped partitions."""
    _forget_old_models(engine, settings)
    with engine.begin() as connection:
        item_vectors.forget_past_versions(connection)
        drift.forget_old(connection)
        return retention.apply(connection, timedelta(days=settings.event_retention_days))


def _forget_old_models(engine: Engine, settings: Settings) -> None:
    """Delete the weights of old versions, unless a training runs: then the next run will do it."""
    with engine.connect() as connection:
        running = experiments.running(connection)
    also = () if running is None else running.versions
    for capability in models.CAPABILITIES:
        try:
            with training.exclusive(engine, capability):
                keep = settings.model_retention
                forgotten = model_store.forget_old(engine, settings.home, keep=keep, also=also, capability=capability)
        except training.TrainingRuns:
            continue
        if forgotten:
            log.info("deleted the weights of %s", ", ".join(forgotten))


def _measure(backlogs: Sequence[Backlog], kinds: Collection[str]) -> None:
    for kind in sorted({backlog.kind for backlog in backlogs} | set(kinds) - due.NO_KINDS):
        found = next((backlog for backlog in backlogs if backlog.kind == kind), None)
        metrics.DUE.labels(kind).set(found.count if found else 0)
        metrics.OLDEST_DUE.labels(kind).set(found.oldest_seconds if found else 0)
