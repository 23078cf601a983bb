"""Publish a detector: the saved one has to judge golden orders like the fitted one, bit for bit."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Engine, Row

from model import artifact
from model.artifact import Artifact
from model.fraud import serve
from model.fraud.serve import Screener
from storage.registry import models
from workers import settings as environment
from workers.registry import publishing
from workers.registry.publishing import Outcome
from workers.registry.verdict import Verdict
from workers.registry.versions import Origin, VerificationFailed


class Candidate(NamedTuple):
    """A detector that is to be published, how it was made, and from how many orders and frauds.

    It learnt the outcomes of orders from `learnt_from` up to `learnt_through`.
    """

    screener: Screener
    verdict: Verdict
    how: str
    learnt_from: datetime
    learnt_through: datetime
    orders: int
    frauds: int


def publish(engine: Engine, home: Path, candidate: Candidate, live: Row[Any] | None, golden_NxF: np.ndarray) -> Outcome:
    """Publish as described in `workers.registry.publishing`, if the candidate passed the gate."""
    learnt = {"orders": candidate.orders, "frauds": candidate.frauds}
    figures = {"model": candidate.verdict.figures.get("candidate", {}), "learnt": learnt}
    made = serve.to_artifact(candidate.screener, metrics=figures)

    def judge(saved: Artifact) -> Verdict:
        _verify(serve.from_artifact(saved), candidate.screener, golden_NxF)
        return candidate.verdict

    parent = None if live is None else live.version
    origin = Origin(candidate.how, parent, candidate.learnt_from, candidate.learnt_through)
    asks = publishing.Candidate(models.FRAUD, made, origin, config=made.config["options"])
    return publishing.publish(engine, home, asks, judge)


def loaded(home: Path, version: str) -> Screener:
    """Return a version's detector. Raises `ArtifactError`."""
    return serve.from_artifact(artifact.load(environment.model_folder(home, version)))


def _verify(saved: Screener, fitted: Screener, golden_NxF: np.ndarray) -> None:
    """Raise `VerificationFailed` unless the saved detector judges the golden orders like the fitted one."""
    says = serve.probabilities if fitted.is_trained else serve.strangeness
    if not np.array_equal(says(saved, golden_NxF), says(fitted, golden_NxF)):
        raise VerificationFailed("the saved detector judges other than the fitted one; it was not published")
