"""Full training: read the tables, set cases for the gate aside, fit, publish. One at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, Row

from model import artifact
from model.recommend import config as configs
from model.recommend.config import RecommendConfig
from model.recommend.training import coordination, finetune
from model.recommend.training import train as model_train
from model.recommend.training.finetune import Learned
from model.recommend.training.loop import Progress
from model.recommend.training.train import Fitted
from storage.registry import models, training
from workers import settings as configuration
from workers.recommend.training import checkpoints, gate, plots, publish, waiting
from workers.recommend.training import data as tables
from workers.recommend.training.data import TrainingData
from workers.recommend.training.gate import Cases
from workers.registry import model_store
from workers.registry.publishing import Outcome
from workers.runtime import device
from workers.settings import Settings

HELD_OUT = (
    "each shopper's last basket is the test, the one before it chose the epoch; the figures are of the model that had "
    "seen neither, then a few gentle epochs over everything but the gate's cases made the model that serves"
)
NOTHING_HELD_OUT = "no shopper has three baskets, so nothing could be held out: the model is untested"


@dataclass(frozen=True)
class Training:
    """What to train: a preset, the seed, at most how many minutes, and whether to publish the result."""

    preset: str = "small"
    seed: int = 0
    minutes: float | None = None
    serve: bool = True


@dataclass(frozen=True)
class Report:
    """A finished training. `metrics` are those of model, popularity and co-occurrence on the same held-out events.

    `gate` is the result of the gate, `reasons` say why the version is not live although it was to be published.
    """

    version: str
    path: str
    curve: str
    users: int
    items: int
    events: int
    epochs: int
    seconds: float
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    held_out: str = HELD_OUT
    published: bool = False
    previous: str | None = None
    gate: dict[str, Any] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)


class _Fit(NamedTuple):
    """The data, the gate's cases, and the model fitted to the rest; `live` was the live version meanwhile."""

    live: Row[Any] | None
    known: TrainingData
    cases: Cases
    fitted: Fitted


def train(
    engine: Engine, settings: Settings, asked: Training, progress: Callable[[Progress], None] | None = None
) -> Report:
    """Train on what the tables hold, except the gate's cases, and publish the new version if it passes the gate.

    A training that was killed continues after its last finished epoch if the tables and the config are the same.

    Raises `NotEnoughData`, `TrainingRuns` while another training runs, `ConfigError` for an unknown preset, and
    `VerificationFailed`.
    """
    with training.exclusive(engine, models.RECOMMEND):
        started = time.monotonic()
        made = _fit(engine, settings, asked, progress)
        report = keep(
            engine, settings.home, made.known, made.fitted, made.live, made.cases, started=started, serve=asked.serve
        )
        checkpoints.clear(settings.home)
        return report


def train_first(engine: Engine, settings: Settings, progress: Callable[[Progress], None] | None = None) -> Report:
    """Train the first model, which nobody has asked for; counted as an attempt. Raises as `train` does."""
    with waiting.attempt_at_first(engine):
        return train(engine, settings, Training(settings.preset), progress)


def take_part(engine: Engine, settings: Settings, asked: Training) -> None:
    """Train together with the leading process, which runs `train`; only that one reports, saves and publishes."""
    _fit(engine, settings, asked, None)


def _fit(engine: Engine, settings: Settings, asked: Training, progress: Callable[[Progress], None] | None) -> _Fit:
    device.prepare(settings.home)
    config = config_of(settings, asked.preset)
    with engine.connect() as connection:
        live = models.live(connection)
    known = _read(engine)
    cases = gate.cases(known, gate.known_until(live), config)
    fitted = model_train.fit(
        cases.rest.interactions,
        cases.rest.items,
        config,
        seed=asked.seed,
        progress=progress,
        minutes=asked.minutes,
        checkpoints=checkpoints.for_training(settings.home, cases.rest, config, asked.seed),
    )
    return _Fit(live, known, cases, fitted)


def _read(engine: Engine) -> TrainingData:
    """Return what the tables hold, the same in every process of a group, whatever comes in meanwhile."""
    if coordination.alone():
        return tables.read(engine)
    with ExitStack() as kept:
        snapshot = coordination.first(lambda: kept.enter_context(training.snapshot(engine)))
        known = tables.read(engine, snapshot=snapshot)
        # The snapshot exists as long as the first process keeps it.
        coordination.wait()
    return known


def config_of(settings: Settings, preset: str) -> RecommendConfig:
    """Return the preset with the configured weights of event kinds."""
    weights = configuration.weights(settings)
    return configs.preset(preset, **({"kind_weights": weights} if weights else {}))


def keep(
    engine: Engine,
    home: Path,
    known: TrainingData,
    fitted: Fitted,
    live: Row[Any] | None,
    cases: Cases,
    *,
    started: float,
    serve: bool,
) -> Report:
    """Publish the fitted model if it passes the gate, and draw its curve; return the report.

    It was fitted on `cases.rest`, or on less; `known` is what the tables held, `live` the live version then. Raises
    `VerificationFailed`.
    """
    candidate = publish.Candidate(fitted.artifact, models.FULL, known.since, known.through)
    outcome = publish.publish(engine, home, candidate, live, cases, serve=serve)
    learned = finetune.from_trial(fitted.trial)
    held_out = HELD_OUT if fitted.metrics else NOTHING_HELD_OUT
    report = finished(home, known, outcome, learned, fitted.history, started=started, held_out=held_out)
    return replace(report, metrics=fitted.metrics)


def finished(
    home: Path,
    known: TrainingData,
    outcome: Outcome,
    learned: Learned,
    history: Sequence[Progress],
    *,
    started: float,
    held_out: str,
) -> Report:
    """Keep the optimizer's state and a picture of the curve beside the version's folder; return the report."""
    artifact.save_arrays(model_store.moments(home, outcome.version), finetune.moments_of(learned))
    curve = model_store.curve(home, outcome.version)
    plots.draw(history, curve)
    return Report(
        version=outcome.version,
        path=str(outcome.folder),
        curve=str(curve),
        users=len(known.users),
        items=len(known.items),
        events=len(known.interactions.users_E),
        epochs=len(history),
        seconds=round(time.monotonic() - started, 1),
        held_out=held_out,
        published=outcome.published,
        previous=outcome.previous,
        gate=outcome.verdict.as_json(),
        reasons=outcome.reasons,
    )
