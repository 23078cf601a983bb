"""Evaluate the recommender on files by a protocol: its figures, the rankings of every user, and the inputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
import numpy as np

from model.errors import ConfigError
from model.recommend import config as configs
from model.recommend.config import RecommendConfig
from model.recommend.evaluation.certainty import Certainty
from model.recommend.protocols import cold_start, prequential
from model.recommend.protocols import protocol as protocols
from model.recommend.protocols.protocol import Outcome
from model.recommend.training.loop import Progress
from model.recommend.training.train import Figures
from workers import options as command_line
from workers.evaluate import reports
from workers.evaluate.recommend_files import FileData
from workers.recommend.training.data import TrainingData

PREDICTED = 10
"""Items of each user in the file of predictions."""

_PACKAGES = ("jax", "flax", "optax", "numpy")


@dataclass(frozen=True)
class Asked:
    """Which protocol to run, and how.

    `cut` is the time of a time split, in unix seconds; `ablate` asks for each part of the score, too.
    """

    protocol: str
    config: RecommendConfig
    seed: int = 0
    minutes: float | None = None
    cut: float | None = None
    ablate: bool = False


@dataclass(frozen=True)
class Evaluation:
    """The figures, and the data that they were measured on."""

    asked: Asked
    data: FileData
    outcome: Outcome


def config_of(preset: str, options: Sequence[str], *, keep_seen: bool = False) -> RecommendConfig:
    """Return the preset with options given as NAME=VALUE. Raises `ConfigError` for an unknown name or a bad value."""
    config = configs.preset(preset, **command_line.read(options, _value))
    return configs.replace(config, filter_seen=False) if keep_seen else config


def _value(name: str, text: str) -> Any:
    if isinstance(getattr(RecommendConfig, name, None), str):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f"--set {name}: {text!r} is neither a number, true, false nor null") from error


def run(asked: Asked, data: FileData, progress: Callable[[Progress], None] = lambda _: None) -> Evaluation:
    """Run the protocol. Raises `ConfigError` and `DataError`."""
    outcome = protocols.run(
        asked.protocol,
        data.known.interactions,
        data.known.items,
        asked.config,
        cut=asked.cut,
        seed=asked.seed,
        minutes=asked.minutes,
        progress=progress,
        ablate=asked.ablate,
    )
    return Evaluation(asked, data, outcome)


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return everything but the predictions as a JSON object."""
    asked, outcome = evaluation.asked, evaluation.outcome
    return {
        "protocol": asked.protocol,
        "seed": asked.seed,
        "data": _data(evaluation.data),
        "figures": _figures(outcome.figures),
        "certainty": None if outcome.certainty is None else _certainty(outcome.certainty),
        "parts": {name: _rounded(one._asdict()) for name, one in outcome.parts.items()},
        "training": {
            "seconds": round(outcome.seconds, 1),
            "seconds_per_epoch": round(outcome.seconds_per_epoch, 2),
            "examples_per_second": round(outcome.examples_per_second),
            "epochs": len(outcome.history),
            "parameters": sum(int(np.size(value)) for value in outcome.trial.scorer.params.values()),
            "losses": [round(report.loss, 4) for report in outcome.history],
            "validation_ndcg@10": [None if r.ndcg is None else round(r.ndcg, 4) for r in outcome.history],
        },
        "blend": {name: np.round(value, 3).tolist() for name, value in outcome.trial.scorer.blend._asdict().items()},
        **_measured_on(asked.config),
    }


def cold_start_as_json(
    outcome: cold_start.Outcome, data: FileData, config: RecommendConfig, seed: int
) -> dict[str, Any]:
    """Return the figures of cold items and users, and what they were measured on, as a JSON object."""
    return {
        "protocol": "cold-start",
        "seed": seed,
        "data": _data(data) | {"cold_items": outcome.items, "cold_users": outcome.users},
        "figures": {
            "cold_items": _figures(outcome.cold_items),
            **{f"users_of_{known}_events": _figures(figures) for known, figures in outcome.cold_users.items()},
        },
        **_measured_on(config),
    }


def learning_as_json(
    outcome: prequential.Outcome, asked: prequential.Asked, data: FileData, config: RecommendConfig
) -> dict[str, Any]:
    """Return every arm's figures, overall and by window, and what they were measured on, as a JSON object."""
    windows = [
        score._asdict() | {"since": datetime.fromtimestamp(score.since, UTC).isoformat()} for score in outcome.scores
    ]
    return {
        "protocol": "learn",
        "seed": asked.seed,
        "window_days": asked.window / 86_400,
        "data": _data(data),
        "figures": _figures({arm: outcome.total(arm) for arm in asked.arms}),
        "pretraining_cells": outcome.pretraining_cells,
        "windows": [_finite(window) for window in windows],
        **_measured_on(config),
    }


def write_predictions(path: Path, evaluation: Evaluation) -> None:
    """Write user_id, rank (from 1), item_id: the best items of every user, gzipped if the name ends in .gz."""
    known: TrainingData = evaluation.data.known
    parts = evaluation.outcome.trial.parts
    item_ids = [item.item_id for item in known.items]
    rows = (
        (known.users[parts.events.users_E[start]], rank, item_ids[item])
        for start, row in zip(parts.start_U, evaluation.outcome.ranked_UxK, strict=True)
        for rank, item in enumerate(row[:PREDICTED], start=1)
    )
    reports.write_predictions(path, ("user_id", "rank", "item_id"), rows)


def _data(data: FileData) -> dict[str, Any]:
    return {
        "files": {reading.path.name: _read(reading) for reading in data.readings},
        "users": len(data.known.users),
        "items": len(data.known.items),
        "events": len(data.known.interactions.users_E),
    }


def _measured_on(config: RecommendConfig) -> dict[str, Any]:
    return {
        "config": configs.to_json(config),
        "device": _device(),
        "versions": reports.versions(_PACKAGES),
    }


def _figures(figures: Figures) -> dict[str, dict[str, float | None]]:
    return {ranker: _rounded(values) for ranker, values in figures.items()}


def _certainty(found: Certainty) -> dict[str, Any]:
    """Return intervals of NDCG@10, the gain over the best baseline, and the users that are no cases, as JSON values."""
    return {
        "ndcg@10": {name: [round(end, 6) for end in one] for name, one in found.ndcg.items()},
        "best_baseline": found.baseline,
        "gain": [round(end, 6) for end in found.gain],
        "users": found.users,
        "left_out": found.left_out,
        "ndcg@10_of_all": {name: round(value, 6) for name, value in found.of_all.items()},
    }


def _read(reading: Any) -> dict[str, Any]:
    return {"read": reading.read, "kept": reading.kept, "rejected": {r.reason: r.lines for r in reading.rejected}}


def _rounded(values: dict[str, float]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 5) for name, value in _finite(values).items()}


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    # JSON has no nan.
    return {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in values.items()}


def _device() -> str:
    device = jax.devices()[0]
    return f"{device.platform}: {device.device_kind}, {jax.device_count()} of them"
