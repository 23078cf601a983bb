"""The watch over a canary: it is stopped, and so rolled back, where it does harm. Promotion is a person's decision."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sqlalchemy import Connection, Engine

from storage import due, experiments, health, models
from storage.experiments import Experiment, Outcome
from storage.health import Health
from workers.contract.doorbell import Doorbell
from workers.experiment import confidence, report, service
from workers.experiment.plan import Refused

log = logging.getLogger(__name__)

LEAST_BATCHES = 5
MOST_FAILURES = 0.2
SLOWER = 3.0
LEAST_SECONDS = 0.5
WINDOW_MINUTES = 5

# Two metrics are looked at, and together they may be wrong as often as one.
_WATCHED = (report.CLICK, report.PURCHASE)
_ALPHA = confidence.ALPHA / len(_WATCHED)


def look(engine: Engine, bell: Doorbell) -> str | None:
    """Stop the canary that runs if it does harm, and ring for its shoppers; return why, None where all is well."""
    with engine.connect() as connection:
        canary = experiments.running(connection)
        if canary is None or not canary.canary:
            return None
        because = _trouble(connection, canary)
    if because is None:
        return None
    try:
        marked = service.stop(engine, canary.name, because)
    except Refused:  # somebody else stopped it meanwhile
        return None
    log.warning("%s is rolled back, %d shoppers are due: %s", canary.name, marked, because)
    bell.ring(due.SHOPPER)
    return because


def _trouble(connection: Connection, canary: Experiment) -> str | None:
    live, version = models.live(connection), canary.arms[-1].version
    assert version is not None  # `plan.canary` makes no other
    if live is not None:
        if live.version == version:
            return f"{version} is live and serves everyone"
        states = health.lately(connection, [version, live.version], minutes=WINDOW_MINUTES)
        if (because := sickness(states[version], states[live.version])) is not None:
            return because
    return harm(canary, experiments.outcomes(connection, canary))


def sickness(canary: Health, live: Health) -> str | None:
    """Return what is wrong with how a canary ranks, beside the live version: its failures, or its time a batch."""
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
    """Return in which metric the canary does worse than the live version, by a test that may look at any time."""
    control, treated = (outcomes[arm.name] for arm in canary.arms)
    for metric in _WATCHED:
        ours, theirs = report.tally(treated, metric), report.tally(control, metric)
        if confidence.verdict(ours, theirs, _ALPHA) == "worse":
            return f"{metric} rate {ours.rate:.2%} of {ours.shoppers} shoppers, {theirs.rate:.2%} with the live version"
    return None
