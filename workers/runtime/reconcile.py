"""Reconciling: a lost message or a dead worker is made good here, at the latest."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from prometheus_client import Gauge
from sqlalchemy import Engine, Row

from storage import actors, drift, due, experiments, item_vectors, models, retention, training
from storage.due import Backlog
from workers.contract.doorbell import Doorbell
from workers.learn import folders
from workers.runtime import metrics
from workers.settings import Settings

log = logging.getLogger(__name__)


def reconcile(engine: Engine, bell: Doorbell, settings: Settings) -> list[str]:
    """Bury rows that used up their attempts and ring for every kind of which something is free; return those kinds."""
    with engine.begin() as connection:
        due.bury(connection, max_attempts=settings.max_attempts)
        backlogs = due.summary(connection)
        measured, of_fraud = drift.of_live(connection), drift.of_live(connection, models.FRAUD)
        bad = actors.summary(connection)
    _measure(backlogs)
    _export(measured, metrics.DRIFT, metrics.DRIFT_ALERT, metrics.DRIFT_MEASURED)
    _export(of_fraud, metrics.FRAUD_DRIFT, metrics.FRAUD_DRIFT_ALERT, metrics.FRAUD_DRIFT_MEASURED)
    metrics.ACTORS_FLAGGED.set(bad.flagged)
    metrics.ACTORS_ALERT.set(bad.alert is not None)
    kinds = to_ring(backlogs)
    # What keeps the catalogue in memory is told every time: it may just have started, or not have heard of a change.
    kinds = [*kinds, due.CATALOGUE] if settings.search else [kind for kind in kinds if kind != due.QUERY]
    bell.ring(*kinds)
    return kinds


def to_ring(backlogs: Sequence[Backlog]) -> list[str]:
    """Return the kinds of which something is due that nobody works on; shoppers and items may be due `later`."""
    apart = (due.SHOPPER, due.ITEM)  # what can wait of these is another process's work
    now = [b.kind for b in backlogs if b.claimable or (b.claimable_later and b.kind not in apart)]
    later = any(b.claimable_later for b in backlogs if b.kind in apart)
    return [*now, *([due.LATER] if later else [])]


def maintain(engine: Engine, settings: Settings) -> list[str]:
    """Drop what is past its retention and what past models left; return the names of the dropped partitions."""
    _forget_old_models(engine, settings)
    with engine.begin() as connection:
        item_vectors.forget_past_versions(connection)
        drift.forget_old(connection)
        return retention.apply(connection, timedelta(days=settings.event_retention_days))


def _forget_old_models(engine: Engine, settings: Settings) -> None:
    """Delete the weights of old versions, unless one is being made just now: then the next time will do."""
    with engine.connect() as connection:
        running = experiments.running(connection)
    also = () if running is None else running.versions
    for capability in models.CAPABILITIES:
        try:
            with training.exclusive(engine, capability):
                keep = settings.model_retention
                forgotten = folders.forget_old(engine, settings.home, keep=keep, also=also, capability=capability)
        except training.TrainingRuns:
            continue
        if forgotten:
            log.info("deleted the weights of %s", ", ".join(forgotten))


def _measure(backlogs: Sequence[Backlog]) -> None:
    for kind in (due.SHOPPER, due.ITEM, due.BASKET, due.ACTOR, due.ORDER, due.QUERY, due.REASON):
        found = next((backlog for backlog in backlogs if backlog.kind == kind), None)
        metrics.DUE.labels(kind).set(found.count if found else 0)
        metrics.OLDEST_DUE.labels(kind).set(found.oldest_seconds if found else 0)


def _export(measured: Row[Any] | None, gauges: Mapping[str, Gauge], alert: Gauge, at: Gauge) -> None:
    """Set the gauges of drift from the table, so that they outlast the worker that measured; NaN is what is unknown."""
    figures = {} if measured is None else measured.figures
    for name, gauge in gauges.items():
        value = figures.get(name)
        gauge.set(math.nan if value is None else value)
    alert.set(0 if measured is None else measured.alert is not None)
    at.set(math.nan if measured is None else measured.measured_at.timestamp())
