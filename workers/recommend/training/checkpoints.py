"""Checkpoints of a training, so that one that was killed continues when the same training is started again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from model.catalogue import Item
from model.checkpoints import Checkpoints
from model.recommend import config as configs
from model.recommend.config import RecommendConfig
from model.recommend.events import Interactions
from model.recommend.training import coordination, finetune
from workers.recommend.training.data import TrainingData

FULL, INCREMENTAL = "full", "incremental"
PHASES = ("train", "refit")

_SNAPSHOT = "snapshot.json"
# An update that was killed longer ago than this starts from the beginning, with all newer events.
_STALE = timedelta(hours=6)


def for_training(home: Path, known: TrainingData, config: RecommendConfig, seed: int) -> dict[str, Checkpoints]:
    """Return the checkpoints of this very training; the process that leads it removes those of any other."""
    digest = _digest([configs.to_json(config), seed, repr(known.items)], known.interactions)
    folder = _only(_folder(home, FULL), digest)
    return {phase: Checkpoints(folder / phase) for phase in PHASES}


def for_update(home: Path, version: str, items: Sequence[Item], events: Interactions, seed: int) -> Checkpoints:
    """Return the checkpoints of this very update of a version, and remove those of any other.

    It can continue after changes of the catalogue, as long as the items of the events keep their numbers.
    """
    named, places_E = np.unique(events.items_E, return_inverse=True)
    facts = [version, seed, [items[n].item_id for n in named.tolist()]]
    folder = _only(_folder(home, INCREMENTAL), _digest(facts, events._replace(items_E=places_E)))
    return Checkpoints(folder / finetune.PHASE)


def snapshot(home: Path, version: str, *, now: datetime) -> datetime:
    """Return the time up to which events are used to update a version: `now`, or that of an update that was killed."""
    folder = _folder(home, INCREMENTAL)
    path = folder / _SNAPSHOT
    if path.exists() and any(Checkpoints(kept).exist() for kept in folder.glob(f"*/{finetune.PHASE}")):
        noted = json.loads(path.read_text("utf-8"))
        until = datetime.fromisoformat(noted["until"])
        if noted["version"] == version and now - until < _STALE:
            return until
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"version": version, "until": now.isoformat()}), "utf-8")
    partial.rename(path)
    return now


def clear(home: Path, what: str = FULL) -> None:
    """Delete the checkpoints of full trainings, or of updates, after the end."""
    folder = _folder(home, what)
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # there are checkpoints of the other kind, or there were none
        folder.parent.rmdir()


def _folder(home: Path, what: str) -> Path:
    return home.absolute() / "training" / what


def _only(parent: Path, name: str) -> Path:
    for other in parent.glob("*/"):
        if other.name != name and coordination.leads():
            shutil.rmtree(other)
    return parent / name


def _digest(facts: list[Any], events: Interactions) -> str:
    """Return a hash of everything that determines the result: a training with the same hash may continue."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for column in events:
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()[:16]
