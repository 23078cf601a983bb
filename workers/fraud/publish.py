"""Publishing a detector: fresh folder, reload, the same answers bit for bit, register, one pointer switched."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Engine, Row

from model import artifact
from model.fraud import serve
from model.fraud.serve import Screener
from storage import models
from workers import settings as environment
from workers.learn import publish as switching
from workers.learn import versions
from workers.learn.verdict import Verdict
from workers.learn.versions import Origin, VerificationFailed

log = logging.getLogger(__name__)


class Candidate(NamedTuple):
    """A detector that asks to serve, how it was made, and of how many orders and frauds.

    It knows what became of orders from `learnt_from` on up to `learnt_through`.
    """

    screener: Screener
    verdict: Verdict
    how: str
    learnt_from: datetime
    learnt_through: datetime
    orders: int
    frauds: int


class Outcome(NamedTuple):
    """What became of a candidate; `previous` served before it."""

    version: str
    folder: Path
    published: bool
    previous: str | None
    reasons: list[str]


def publish(engine: Engine, home: Path, candidate: Candidate, live: Row[Any] | None, golden_NxF: np.ndarray) -> Outcome:
    """Save, verify and register the candidate, and let it serve if its verdict says so.

    Hold `storage.training.exclusive` meanwhile. Raises `VerificationFailed`.
    """
    learnt = {"orders": candidate.orders, "frauds": candidate.frauds}
    figures = {"model": candidate.verdict.figures.get("candidate", {}), "learnt": learnt}
    made = serve.to_artifact(candidate.screener, metrics=figures)
    with versions.staged(engine, home, models.FRAUD, made) as staged:
        _verify(serve.from_artifact(staged.saved), candidate.screener, golden_NxF)
    parent = None if live is None else live.version
    origin = Origin(candidate.how, parent, candidate.learnt_from, candidate.learnt_through)
    gate, options = candidate.verdict.as_json(), made.config["options"]
    version, folder = staged.version, versions.register(engine, home, staged, origin, gate=gate, config=options)
    if not candidate.verdict.passed:
        log.info("%s does not serve: %s", version, candidate.verdict.reasons)
        return Outcome(version, folder, False, None, candidate.verdict.reasons)
    return Outcome(version, folder, True, switching.switch(engine, version), [])


def loaded(home: Path, version: str) -> Screener:
    """Return a version's detector. Raises `ArtifactError`."""
    return serve.from_artifact(artifact.load(environment.model_folder(home, version)))


def _verify(saved: Screener, fitted: Screener, golden_NxF: np.ndarray) -> None:
    """Raise `VerificationFailed` unless the saved detector says of the golden orders what the fitted one does."""
    says = serve.probabilities if fitted.is_trained else serve.strangeness
    if not np.array_equal(says(saved, golden_NxF), says(fitted, golden_NxF)):
        raise VerificationFailed("the saved detector judges other than the fitted one; it was not published")
