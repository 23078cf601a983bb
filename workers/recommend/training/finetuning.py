"""Fine-tuning: update the live version with newer events, and publish the result if it passes the gate."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Engine, Row

from model import artifact
from model.catalogue import Item
from model.recommend import config as configs
from model.recommend.training import finetune, train
from model.recommend.training.finetune import Update
from model.recommend.training.loop import Progress
from storage.registry import models, training
from workers import settings as configuration
from workers.recommend.training import checkpoints, full_training, gate, publish
from workers.recommend.training import data as tables
from workers.recommend.training.data import TrainingData
from workers.recommend.training.full_training import Report
from workers.recommend.training.gate import Cases
from workers.registry import model_store, schedule
from workers.registry.errors import NothingToLearn
from workers.runtime import device
from workers.settings import Settings

HELD_OUT = "the newest baskets of a sample of shoppers, which neither this version nor the one before it has learnt"


def update(
    engine: Engine,
    settings: Settings,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    seed: int = 0,
    minutes: float | None = None,
) -> Report:
    """Fine-tune the live version on the events after it, and publish the result if it passes the gate.

    An update that was killed continues after its last finished epoch, on the same events. Raises `NothingToLearn`,
    `NotEnoughData`, `TrainingRuns` while another training runs, `ArtifactError` for a live version that cannot be
    loaded, and `VerificationFailed`.
    """
    device.prepare(settings.home)
    with training.exclusive(engine, models.RECOMMEND):
        started = time.monotonic()
        live = _live(engine)
        with schedule.attempt(engine, live):
            until = checkpoints.snapshot(settings.home, live.version, now=datetime.now(UTC))
            known = tables.read(engine, until=until)
            made, items, cases = _learn(settings, live, known, progress, seed, minutes)
            candidate = publish.Candidate(
                finetune.saved(made.learned, items, {}), models.INCREMENTAL, known.since, known.through
            )
            outcome = publish.publish(engine, settings.home, candidate, live, cases)
            report = full_training.finished(
                settings.home, known, outcome, made.learned, made.run.history, started=started, held_out=HELD_OUT
            )
        checkpoints.clear(settings.home, checkpoints.INCREMENTAL)
    return report


def _live(engine: Engine) -> Row[Any]:
    with engine.connect() as connection:
        live = models.live(connection)
    if live is None:
        raise NothingToLearn("no version serves yet that could learn on: run `reshelf train` first")
    return live


def _learn(
    settings: Settings,
    live: Row[Any],
    known: TrainingData,
    progress: Callable[[Progress], None],
    seed: int,
    minutes: float | None,
) -> tuple[Update, list[Item], Cases]:
    saved = artifact.load(configuration.model_folder(settings.home, live.version))
    config = configs.from_json(saved.config)
    cases = gate.cases(known, gate.known_until(live), config)
    items = tables.with_named(cases.rest.items, saved.ids)
    moments = artifact.load_arrays(model_store.moments(settings.home, live.version))
    learned = finetune.restored(saved, items, moments)
    events = train.usable(cases.rest.interactions, items, config)
    new_E = np.asarray(events.at_E > gate.known_until(live))
    if not new_E.any():
        raise NothingToLearn(f"{live.version} knows all that happened up to {live.learnt_through}: wait for new events")
    made = finetune.update(
        learned,
        events,
        new_E,
        learned.scorer.features,
        seed=seed,
        minutes=minutes,
        report=progress,
        checkpoint=checkpoints.for_update(settings.home, live.version, items, events, seed),
    )
    return made, items, cases
