"""Publish a version of search: the saved one has to find the same as the fitted one for golden queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from sqlalchemy import Engine as Database

from model.artifact import Artifact
from model.catalogue import Item
from model.search import weights
from model.search.engine import Engine, Parts
from model.search.learning.encoder import Encoder
from storage.registry import models
from workers.registry import publishing
from workers.registry.publishing import Outcome
from workers.registry.verdict import Verdict
from workers.registry.versions import Origin, VerificationFailed

_GOLDEN_ITEMS = 500
_GOLDEN_QUERIES = 16


@dataclass(frozen=True)
class Candidate:
    """A trained version to publish, the time of the events it learnt from, and reasons against publishing it."""

    artifact: Artifact
    learnt_through: datetime
    reasons: Sequence[str] = ()


def publish(
    database: Database, home: Path, candidate: Candidate, fitted: Parts, items: Sequence[Item], *, serve: bool
) -> Outcome:
    """Publish as described in `workers.registry.publishing`, unless there are reasons against it."""
    with database.connect() as connection:
        live = models.live(connection, models.SEARCH)

    def judge(saved: Artifact) -> Verdict:
        verify(saved, fitted, items[:_GOLDEN_ITEMS])
        return Verdict(not candidate.reasons, list(candidate.reasons), compared_with="words alone")

    origin = Origin(parent=None if live is None else live.version, learnt_through=candidate.learnt_through)
    asks = publishing.Candidate(models.SEARCH, candidate.artifact, origin)
    return publishing.publish(database, home, asks, judge, serve=serve)


def verify(saved: Artifact, fitted: Parts, items: Sequence[Item]) -> None:
    """Raise `VerificationFailed` unless the saved version finds the same as the fitted one, among a few items."""
    parts, kept = weights.unpack(saved, fitted.synonyms)
    ours, theirs = Engine(parts), Engine(fitted)
    for engine in (ours, theirs):
        engine.build(items)
    if kept is not None and isinstance(parts.encoder, Encoder):
        ours = ours.over(parts, kept.encode(items, parts.encoder))
    for item in items[:_GOLDEN_QUERIES]:
        found, expected = ours.find(item.title, k=10), theirs.find(item.title, k=10)
        same = np.array_equal(found.slots_K, expected.slots_K) and np.allclose(
            found.scores_K, expected.scores_K, rtol=1e-4, atol=1e-4, equal_nan=True
        )
        if not same:
            raise VerificationFailed(f"{item.title!r} finds {found.slots_K}, but {expected.slots_K} before saving")
