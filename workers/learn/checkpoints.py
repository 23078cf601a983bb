"""Where a training keeps its state, so that one that was killed goes on when the same is trained again."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from model.artifact import FileCheckpoint
from model.recommend import config as configs
from model.recommend import lockstep
from model.recommend.config import RecommendConfig
from workers.learn.data import TrainingData

PHASES = ("train", "refit")


def of(home: Path, known: TrainingData, config: RecommendConfig, seed: int) -> dict[str, FileCheckpoint]:
    """Return the checkpoints of this very training; the process that leads it removes those of any other."""
    folder = _folder(home) / _digest(known, config, seed)
    for other in _folder(home).glob("*"):
        if other != folder and lockstep.leads():
            shutil.rmtree(other)
    return {phase: FileCheckpoint(folder / f"{phase}.npz") for phase in PHASES}


def clear(home: Path) -> None:
    """Remove all checkpoints: the training is over."""
    shutil.rmtree(_folder(home), ignore_errors=True)


def _folder(home: Path) -> Path:
    return home.absolute() / "training"


def _digest(known: TrainingData, config: RecommendConfig, seed: int) -> str:
    """What decides a training's result: the same digest means that it may go on."""
    digest = hashlib.sha256(json.dumps([configs.to_json(config), seed], sort_keys=True).encode())
    digest.update(repr(known.items).encode())
    for column in known.interactions:
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()[:16]
