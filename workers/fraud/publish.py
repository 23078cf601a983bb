"""Publishing a detector: fresh folder, reload, the same answers bit for bit, register, one pointer switched."""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, Engine, Row

from model import artifact
from model.artifact import Artifact
from model.fraud import serve
from model.fraud.serve import Screener
from storage import models
from workers import settings as environment
from workers.learn import code, folders
from workers.learn import publish as switching
from workers.learn.publish import VerificationFailed
from workers.learn.verdict import Verdict

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
    folders.clear_leftovers(engine, home, models.FRAUD)
    version = models.version_name(models.FRAUD, datetime.now(UTC), secrets.token_hex(3))
    learnt = {"orders": candidate.orders, "frauds": candidate.frauds}
    figures = {"model": candidate.verdict.figures.get("candidate", {}), "learnt": learnt}
    made = serve.to_artifact(candidate.screener, metrics=figures)
    with folders.staging(home, version) as staged:
        digest = artifact.save(staged, made)
        _verify(serve.from_artifact(artifact.load(staged)), candidate.screener, golden_NxF)
    parent = None if live is None else live.version
    with engine.begin() as connection:
        _register(connection, version, candidate, made, digest, parent)
    folder = folders.settle(home, version)
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


def _register(
    connection: Connection, version: str, candidate: Candidate, made: Artifact, digest: str, parent: str | None
) -> None:
    models.register(
        connection,
        version,
        config=made.config["options"],
        metrics=made.metrics,
        how=candidate.how,
        parent=parent,
        learnt_from=candidate.learnt_from,
        learnt_through=candidate.learnt_through,
        code=code.version(),
        digest=digest,
        gate=candidate.verdict.as_json(),
    )
