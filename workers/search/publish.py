"""Publishing a version of search: fresh folder, reload, golden queries, register, one pointer switched."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from sqlalchemy import Engine as Database

from model.artifact import Artifact
from model.recommend.items import Item
from model.search import weights
from model.search.encoder import Encoder
from model.search.engine import Engine, Parts
from storage import models
from workers.learn import publish as switching
from workers.learn import versions
from workers.learn.versions import Origin, VerificationFailed

log = logging.getLogger(__name__)

_GOLDEN_ITEMS = 500
_GOLDEN_QUERIES = 16


@dataclass(frozen=True)
class Candidate:
    """A trained version that asks to serve: what it is, up to when it knows the events, and why it may not serve."""

    artifact: Artifact
    learnt_through: datetime
    reasons: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of a candidate. `previous` served before it."""

    version: str
    folder: Path
    published: bool
    previous: str | None


def publish(
    database: Database, home: Path, candidate: Candidate, fitted: Parts, items: Sequence[Item], *, serve: bool
) -> Outcome:
    """Save, verify and register the candidate, and let it serve if nothing speaks against it and `serve` asks for it.

    Hold `storage.training.exclusive` meanwhile. Raises `VerificationFailed`.
    """
    with database.connect() as connection:
        live = models.live(connection, models.SEARCH)
    with versions.staged(database, home, models.SEARCH, candidate.artifact) as made:
        verify(made.saved, fitted, items[:_GOLDEN_ITEMS])
    origin = Origin(parent=None if live is None else live.version, learnt_through=candidate.learnt_through)
    passed = not candidate.reasons
    gate = {"passed": passed, "reasons": list(candidate.reasons), "compared_with": "words alone"}
    version, folder = made.version, versions.register(database, home, made, origin, gate=gate)
    if not serve or not passed:
        return Outcome(version, folder, False, None)
    return Outcome(version, folder, True, switching.switch(database, version))


def verify(saved: Artifact, fitted: Parts, items: Sequence[Item]) -> None:
    """Raise `VerificationFailed` unless the saved version finds what the fitted one does, among a few items."""
    parts, kept = weights.unpack(saved, fitted.synonyms)
    ours, theirs = Engine(parts), Engine(fitted)
    for engine in (ours, theirs):
        engine.build(items)
    if kept is not None and isinstance(parts.encoder, Encoder):
        ours = ours.over(parts, kept.of(items, parts.encoder))
    for item in items[:_GOLDEN_QUERIES]:
        found, expected = ours.find(item.title, k=10), theirs.find(item.title, k=10)
        same = np.array_equal(found.slots_K, expected.slots_K) and np.allclose(
            found.scores_K, expected.scores_K, rtol=1e-4, atol=1e-4, equal_nan=True
        )
        if not same:
            raise VerificationFailed(f"{item.title!r} finds {found.slots_K}, but {expected.slots_K} before saving")
