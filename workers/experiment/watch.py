"""The watch over a canary: it is stopped, and so rolled back, if it does harm. Promotion is a person's decision."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

from sqlalchemy import Connection, Engine

from storage import due
from storage.experiment import experiments
from storage.experiment.experiments import Experiment, Outcome
from storage.registry import health, models
from storage.registry.health import Health
from workers.doorbell import Doorbell
from workers.experiment import confidence, report, service
from workers.experiment.plan import Refused

log = logging.getLogger(__name__)

LEAST_BATCHES = 5
MOST_FAILURES = 0.2
SLOWER = 3.0
LEAST_SECONDS = 0.5
WINDOW_MINUTES = 5

_REST = 3.0
_LONGEST_REST = 20.0

# Two metrics are tested; together they may be wrong as often as one.
_WATCHED = (report.CLICK, report.PURCHASE)
_ALPHA = confidence.ALPHA / len(_WATCHED)


class Watch:
    """Watches the running canary, one look at a time."""

    def __init__(self, engine: Engine, bell: Doorbell) -> None:
        self._engine = engine
        self._bell = bell
        self._looking = threading.Lock()
        self._rests_until = 0.0

    def look(self) -> str | None:
        """Stop the running canary if it does harm, and ring for its shoppers; return why, None if all is well."""
        if not self._looking.acquire(blocking=False):
            return None
        try:
            return self._look()
        finally:
            self._looking.release()

    def _look(self) -> str | None:
        with self._engine.connect() as connection:
            canary = experiments.running(connection)
            if canary is None or not canary.canary:
                return None
            because = _trouble(connection, canary) or self._harm(connection, canary)
        if because is None:
            return None
        try:
            marked = service.stop(self._engine, canary.name, because)
        except Refused:  # somebody else stopped it meanwhile
            return None
        log.warning("%s is rolled back, %d shoppers are due: %s", canary.name, marked, because)
        self._bell.ring(*due.SWITCHED)
        return because

    def _harm(self, connection: Connection, canary: Experiment) -> str | None:
        start = time.monotonic()
        if start < self._rests_until:
            return None
        outcomes = experiments.outcomes(connection, canary)
        end = time.monotonic()
        self._rests_until = end + rest(end - start)
        return harm(canary, outcomes)


def rest(seconds: float) -> float:
    """Return for how many seconds to rest after counting outcomes, so that it takes a quarter of one core.

    At most as long as still detects a harmful canary within a minute.
    """
    return min(_REST * seconds, _LONGEST_REST)


def _trouble(connection: Connection, canary: Experiment) -> str | None:
    live, version = models.live(connection), canary.arms[-1].version
    assert version is not None  # `plan.canary` always names one
    if live is None:
        return None
    if live.version == version:
        return f"{version} is live and serves everyone"
    versions = [version, live.version]
    states = health.lately(connection, versions, minutes=WINDOW_MINUTES, since=canary.started_at)
    return sickness(states[version], states[live.version])


def sickness(canary: Health, live: Health) -> str | None:
    """Return what is wrong with a canary's ranking next to the live version: its failures or its time per batch."""
    if canary.batches < LEAST_BATCHES:
        return None
    failures, usual = canary.failures / canary.batches, live.failures / live.batches if live.batches else 0.0
    if failures > max(MOST_FAILURES, usual):
        return f"{canary.failures} of {canary.batches} batches failed, {usual:.0%} with the live version"
    if not live.batches:
        return None
    seconds, usual = canary.seconds / canary.batches, live.seconds / live.batches
    if seconds > max(LEAST_SECONDS, SLOWER * usual):
        return f"a batch takes {seconds:.2f} s, {usual:.2f} s with the live version"
    return None


def harm(canary: Experiment, outcomes: Mapping[str, Outcome]) -> str | None:
    """Return the metric in which the canary is worse than the live version, by a test that is valid at any time."""
    control, treated = (outcomes[arm.name] for arm in canary.arms)
    for metric in _WATCHED:
        ours, theirs = report.tally(treated, metric), report.tally(control, metric)
        if confidence.verdict(ours, theirs, _ALPHA) == "worse":
            return f"{metric} rate {ours.rate:.2%} of {ours.shoppers} shoppers, {theirs.rate:.2%} with the live version"
    return None
