"""Train the detector on a shop's own orders: from scratch, or as an update with newly known outcomes."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Engine, Row

from model.errors import ArtifactError
from model.fraud import serve
from model.fraud.config import FraudConfig
from model.fraud.detector import detector
from model.fraud.detector.detector import Detector
from model.fraud.features.features import Features
from model.fraud.serve import Screener
from storage.registry import models, training
from workers.fraud import configuration
from workers.fraud.training import dataset, gate, publish
from workers.fraud.training.dataset import Learnable
from workers.fraud.training.publish import Candidate
from workers.fraud.training.waiting import LEAST_FRAUDS
from workers.registry import schedule
from workers.registry.errors import NotEnoughData
from workers.registry.publishing import Outcome
from workers.registry.verdict import Verdict
from workers.runtime import device
from workers.settings import Settings

log = logging.getLogger(__name__)

_LEAST_ORDERS = 100
_GOLDEN = 32
# How many old orders are learnt again for each new one in an update.
_REPLAYED = 1


@dataclass(frozen=True)
class Report:
    """A finished training: how many orders and frauds it learnt from, and whether it is live; `reasons` say why not."""

    version: str
    path: str
    how: str
    orders: int
    frauds: int
    tested: int
    seconds: float
    published: bool
    previous: str | None = None
    gate: dict[str, Any] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)


def train(engine: Engine, settings: Settings, *, seed: int = 0, now: datetime | None = None) -> Report:
    """Train from scratch on the orders with known outcome, and publish the result if it passes the gate.

    With fewer than `LEAST_FRAUDS` frauds it only learns what orders look like, and scores how unusual an order is.
    Raises `NotEnoughData`, `TrainingRuns`, and `VerificationFailed`.
    """
    device.prepare(settings.home)
    with training.exclusive(engine, models.FRAUD):
        started, config = time.monotonic(), configuration.from_settings(settings)
        with engine.connect() as connection:
            live = models.live(connection, models.FRAUD)
        learnt = None if live is None else int(live.learnt_through.timestamp())
        found = dataset.split(dataset.read(engine), _moment(now), config.features, learnt=learnt)
        if len(found.learn) < _LEAST_ORDERS:
            raise NotEnoughData(
                f"the truth of {len(found.learn)} orders is known, and {_LEAST_ORDERS} are needed: wait for labels, or "
                "`reshelf load --orders` a file"
            )
        known = found.features(found.learn, config.features)
        screener = serve.build(_fitted(found, known, config, seed), known.values_NxF)
        return _finish(engine, settings, found, known, screener, live, models.FULL, started)


def update(engine: Engine, settings: Settings, *, seed: int = 0, now: datetime | None = None) -> Report:
    """Update the live detector with the outcomes known since it was trained; publish the result if it passes the gate.

    A live version that was trained without labels is trained from scratch. Raises the same errors as `train`.
    """
    device.prepare(settings.home)
    with engine.connect() as connection:
        live = models.live(connection, models.FRAUD)
    if live is None:
        return train(engine, settings, seed=seed, now=now)
    before = publish.loaded(settings.home, live.version)
    if not before.is_trained:
        return train(engine, settings, seed=seed, now=now)
    with training.exclusive(engine, models.FRAUD), schedule.attempt(engine, live):
        started, config = time.monotonic(), before.scorer.config
        every, since = dataset.read(engine), int(live.learnt_through.timestamp())
        found = dataset.split(every, _moment(now), config.features, since=since)
        frauds = int(found.frauds_N[found.learn].sum())
        if not LEAST_FRAUDS <= frauds < len(found.learn):
            raise NotEnoughData(
                f"{frauds} frauds have become known since {live.version} was trained, and {LEAST_FRAUDS} are needed"
            )
        known = found.features(found.learn, config.features)
        replayed = _replayed(dataset.split(every, since, config.features), len(found.learn), seed)
        past = replayed.features(replayed.learn, config.features), replayed.frauds_N[replayed.learn]
        after = detector.update(before.scorer, known, found.frauds_N[found.learn], config, replayed=past, seed=seed)
        looks_NxF = np.concatenate([known.values_NxF, past[0].values_NxF])
        screener = serve.build(after, looks_NxF)
        return _finish(engine, settings, found, known, screener, live, models.INCREMENTAL, started)


def _fitted(found: Learnable, known: Features, config: FraudConfig, seed: int) -> Detector:
    frauds_N = found.frauds_N[found.learn]
    if not LEAST_FRAUDS <= frauds_N.sum() < len(frauds_N):
        log.warning("%d of %d orders are known to be fraud: no probabilities yet", frauds_N.sum(), len(frauds_N))
        return Detector(config, known.names, known.groups, None, ())
    return detector.fit(known, frauds_N, found.found.customer_N[found.learn], config, seed=seed)


def _replayed(past: Learnable, most: int, seed: int) -> Learnable:
    count = min(_REPLAYED * most, len(past.learn))
    chosen = np.random.default_rng(seed).choice(past.learn, count, replace=False)
    return past._replace(learn=np.sort(chosen))


def _finish(
    engine: Engine,
    settings: Settings,
    found: Learnable,
    known: Features,
    screener: Screener,
    live: Row[Any] | None,
    how: str,
    started: float,
) -> Report:
    tested = found.features(found.test, screener.scorer.config.features)
    said = _judge(settings, screener, live, tested.values_NxF, found.frauds_N[found.test])
    at_N, frauds = found.found.at_N[found.learn], int(found.frauds_N[found.learn].sum())
    first, through = (datetime.fromtimestamp(int(at), UTC) for at in (at_N.min(), found.moment))
    candidate = Candidate(screener, said, how, first, through, len(at_N), frauds)
    outcome = publish.publish(engine, settings.home, candidate, live, known.values_NxF[:_GOLDEN])
    return _report(found, outcome, said, how, started)


def _judge(
    settings: Settings, screener: Screener, live: Row[Any] | None, values_NxF: np.ndarray, frauds_N: np.ndarray
) -> Verdict:
    """Run the gate. The live version learnt what was known when it was trained; it judges the same orders."""
    if live is None:
        return gate.judge(screener, None, None, values_NxF, frauds_N)
    try:
        before = publish.loaded(settings.home, live.version)
    except ArtifactError as error:
        log.warning("%s cannot be compared with: %s", live.version, error)
        return gate.judge(screener, None, None, values_NxF, frauds_N)
    return gate.judge(screener, before, live.version, values_NxF, frauds_N)


def _report(found: Learnable, outcome: Outcome, said: Verdict, how: str, started: float) -> Report:
    return Report(
        version=outcome.version,
        path=str(outcome.folder),
        how=how,
        orders=len(found.learn),
        frauds=int(found.frauds_N[found.learn].sum()),
        tested=len(found.test),
        seconds=round(time.monotonic() - started, 1),
        published=outcome.published,
        previous=outcome.previous,
        gate=said.as_json(),
        reasons=outcome.reasons,
    )


def _moment(now: datetime | None) -> int:
    return int((now or datetime.now(UTC)).timestamp())
