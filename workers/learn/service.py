"""Training: read the tables, fit, save, publish. One at a time, whoever asks."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from model.recommend import config as configs
from model.recommend import lockstep
from model.recommend import train as model_train
from model.recommend.config import RecommendConfig
from model.recommend.events import Interaction, RankRequest
from model.recommend.loop import Progress
from model.recommend.train import Fitted
from storage import models, training
from workers import settings as configuration
from workers.learn import checkpoints, picture, publish
from workers.learn import data as tables
from workers.learn.data import TrainingData
from workers.runtime import device
from workers.settings import Settings

_GOLDEN = 16

HELD_OUT = (
    "each shopper's last basket is the test, the one before it chose the epoch; the figures are of the model that had "
    "seen neither, then a few gentle epochs over everything made the model that serves"
)
NOTHING_HELD_OUT = "no shopper has three baskets, so nothing could be held out: the model is untested"


@dataclass(frozen=True)
class Training:
    """What to train: a preset, the seed, at most how many minutes, and whether the result is to serve."""

    preset: str = "small"
    seed: int = 0
    minutes: float | None = None
    serve: bool = True


@dataclass(frozen=True)
class Report:
    """A finished training. `metrics` are those of model, popularity and co-occurrence on the same held-out events."""

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


def train(
    engine: Engine, settings: Settings, asked: Training, progress: Callable[[Progress], None] | None = None
) -> Report:
    """Train on all that the tables hold and let the new version serve.

    A training that was killed goes on after its last finished epoch if the tables and the config are the same.

    Raises `NotEnoughData`, `TrainingRuns` while another training runs, `ConfigError` for an unknown preset, and
    `VerificationFailed`.
    """
    with training.exclusive(engine, models.RECOMMEND):
        started = time.monotonic()
        known, fitted = _fit(engine, settings, asked, progress)
        report = keep(engine, settings.home, known, fitted, started=started, serve=asked.serve)
        checkpoints.clear(settings.home)
        return report


def take_part(engine: Engine, settings: Settings, asked: Training) -> None:
    """Train along with the process that leads, which runs `train`, and alone reports, saves and publishes."""
    _fit(engine, settings, asked, None)


def _fit(
    engine: Engine, settings: Settings, asked: Training, progress: Callable[[Progress], None] | None
) -> tuple[TrainingData, Fitted]:
    device.prepare(settings.home)
    config = config_of(settings, asked.preset)
    known = _read(engine)
    fitted = model_train.fit(
        known.interactions,
        known.items,
        config,
        seed=asked.seed,
        progress=progress,
        minutes=asked.minutes,
        checkpoints=checkpoints.of(settings.home, known, config, asked.seed),
    )
    return known, fitted


def _read(engine: Engine) -> TrainingData:
    """Return what the tables hold, in every process of a group the same, however much comes in meanwhile."""
    if lockstep.alone():
        return tables.read(engine)
    with ExitStack() as kept:
        snapshot = lockstep.first(lambda: kept.enter_context(training.snapshot(engine)))
        known = tables.read(engine, snapshot=snapshot)
        # The snapshot is there as long as the first process keeps it.
        lockstep.wait()
    return known


def config_of(settings: Settings, preset: str) -> RecommendConfig:
    """Return the preset with the configured weights of event kinds laid over it."""
    weights = configuration.weights(settings)
    return configs.preset(preset, **({"kind_weights": weights} if weights else {}))


def keep(engine: Engine, home: Path, known: TrainingData, fitted: Fitted, *, started: float, serve: bool) -> Report:
    """Save, verify and register what was fitted, and let it serve if asked; return the report."""
    version = models.version_name(models.RECOMMEND, datetime.now(UTC), secrets.token_hex(3))
    folder = configuration.model_folder(home, version)
    publish.save(folder, fitted.artifact, known.items, golden(known))
    curve = folder.with_name(f"{version}.png")
    picture.draw(fitted.history, curve)
    publish.register(engine, version, fitted.artifact, learnt_through=known.through)
    previous = publish.switch(engine, version) if serve else None
    return Report(
        version=version,
        path=str(folder),
        curve=str(curve),
        users=len(known.users),
        items=len(known.items),
        events=len(known.interactions.users_E),
        epochs=len(fitted.losses),
        seconds=round(time.monotonic() - started, 1),
        metrics=fitted.metrics,
        held_out=HELD_OUT if fitted.metrics else NOTHING_HELD_OUT,
        published=serve,
        previous=previous,
    )


def golden(known: TrainingData) -> list[RankRequest]:
    """Return a few real histories, spread over the users, and an empty one."""
    users = range(0, len(known.users), max(len(known.users) // _GOLDEN, 1))
    return [RankRequest(), *(RankRequest(history) for history in histories(known, list(users)[:_GOLDEN]))]


def histories(known: TrainingData, users: Sequence[int]) -> list[list[Interaction]]:
    """Return the events of these users (dense ids), oldest first."""
    wanted: dict[int, list[Interaction]] = {user: [] for user in users}
    columns = (column.tolist() for column in known.interactions)
    for user, item, kind, at in zip(*columns, strict=True):
        if user in wanted:
            wanted[user].append(Interaction(known.items[item].item_id, configs.KINDS[kind], at))
    return list(wanted.values())
