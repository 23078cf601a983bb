"""Publish a recommender: the saved one has to answer a golden batch like the fitted one, and pass the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, Row

from model import artifact
from model.artifact import Artifact
from model.errors import ArtifactError
from model.recommend.events import RankRequest
from model.recommend.serving.serve import Ranker
from storage.registry import models
from workers import settings as configuration
from workers.recommend.training import gate
from workers.recommend.training.gate import Cases
from workers.registry import publishing
from workers.registry.publishing import Outcome
from workers.registry.verdict import Verdict
from workers.registry.versions import Origin, VerificationFailed


@dataclass(frozen=True)
class Candidate:
    """A trained model to publish, how it was made, and the time of the newest event it may have learnt from."""

    artifact: Artifact
    how: str = models.FULL
    learnt_from: datetime | None = None
    learnt_through: datetime | None = None


def publish(
    engine: Engine, home: Path, candidate: Candidate, live: Row[Any] | None, cases: Cases, *, serve: bool = True
) -> Outcome:
    """Publish as described in `workers.registry.publishing`.

    `live` is the version that was live when the cases were chosen (`gate.cases`).
    """
    parent = None if live is None else live.version
    origin = Origin(candidate.how, parent, candidate.learnt_from, candidate.learnt_through)
    asks = publishing.Candidate(models.RECOMMEND, candidate.artifact, origin)
    return publishing.publish(engine, home, asks, partial(_judge, home, candidate.artifact, live, cases), serve=serve)


def verify(saved: Ranker, fitted: Ranker, golden: Sequence[RankRequest]) -> None:
    """Raise `VerificationFailed` unless the saved model answers the golden batch like the fitted one, bit for bit."""
    answers = [ranker.rank(golden, k=min(10, ranker.config.candidates)) for ranker in (saved, fitted)]
    for number, (found, expected) in enumerate(zip(*answers, strict=True)):
        same = np.array_equal(found.scores, expected.scores, equal_nan=True)
        if found.item_ids != expected.item_ids or not same:
            raise VerificationFailed(f"golden request {number} got {found}, but {expected} before saving")


def _judge(home: Path, fitted: Artifact, live: Row[Any] | None, cases: Cases, reloaded: Artifact) -> Verdict:
    """Run the gate. If the live version cannot be loaded, the candidate is compared with popularity."""
    saved = gate.loaded(reloaded, cases.items)
    verify(saved, gate.loaded(fitted, cases.items), cases.golden)
    if live is None:
        return gate.judge(saved, fitted, cases, None, name=None, notes=["no version serves yet"])
    try:
        weights = artifact.load(configuration.model_folder(home, live.version))
    except ArtifactError as error:
        return gate.judge(saved, fitted, cases, None, name=None, notes=[f"{live.version} is damaged: {error}"])
    return gate.judge(saved, fitted, cases, weights, name=live.version, notes=[])
