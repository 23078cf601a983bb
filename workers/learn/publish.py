"""Publishing: fresh folder, reload, golden batch, the gate, register, one pointer switched, everyone due.

Killed at any point, the pointer names a whole version, and the next publishing clears up.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, Row
from sqlalchemy.exc import OperationalError

from model import artifact
from model.artifact import Artifact
from model.errors import ArtifactError
from model.recommend.events import RankRequest
from model.recommend.serve import Ranker
from storage import models, training, transitions
from workers import settings as configuration
from workers.learn import gate, versions
from workers.learn.gate import Cases
from workers.learn.verdict import Verdict
from workers.learn.versions import Origin, VerificationFailed

log = logging.getLogger(__name__)

_ATTEMPTS = 5
_DEADLOCK = "40P01"


class Overtaken(RuntimeError):
    """Another version serves by now than the one that the candidate was compared with."""


@dataclass(frozen=True)
class Candidate:
    """A trained model that asks to serve, how it was made, and the time of the newest event it may have learnt."""

    artifact: Artifact
    how: str = models.FULL
    learnt_from: datetime | None = None
    learnt_through: datetime | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a candidate: its version and folder, what the gate said, and whether it serves.

    `reasons` say why it does not, where it was to serve. `previous` served before it.
    """

    version: str
    folder: Path
    verdict: Verdict
    published: bool
    previous: str | None
    reasons: list[str]


def publish(
    engine: Engine, home: Path, candidate: Candidate, live: Row[Any] | None, cases: Cases, *, serve: bool = True
) -> Outcome:
    """Save, verify and register the candidate, and let it serve if the gate passes it and `serve` asks for it.

    `live` is what served when the cases were chosen (`gate.cases`). Hold `storage.training.exclusive` meanwhile. A
    candidate that is rejected is kept too, with the reasons. Raises `VerificationFailed`.
    """
    with versions.staged(engine, home, models.RECOMMEND, candidate.artifact) as made:
        saved = gate.loaded(made.saved, cases.items)
        verify(saved, gate.loaded(candidate.artifact, cases.items), cases.golden)
        said = _judge(home, saved, candidate.artifact, live, cases)
    expected = None if live is None else live.version
    origin = Origin(candidate.how, expected, candidate.learnt_from, candidate.learnt_through)
    version, folder = made.version, versions.register(engine, home, made, origin, gate=said.as_json())
    if not serve or not said.passed:
        log.info("%s does not serve: %s", version, said.reasons or "nobody asked for it")
        return Outcome(version, folder, said, False, None, said.reasons)
    try:
        switch(engine, version, instead_of=(expected,))
    except Overtaken as error:
        return Outcome(version, folder, said, False, None, [str(error)])
    return Outcome(version, folder, said, True, expected, [])


def verify(saved: Ranker, fitted: Ranker, golden: Sequence[RankRequest]) -> None:
    """Raise `VerificationFailed` unless the saved model answers the golden batch as the fitted one, bit for bit."""
    answers = [ranker.rank(golden, k=min(10, ranker.config.candidates)) for ranker in (saved, fitted)]
    for number, (found, expected) in enumerate(zip(*answers, strict=True)):
        same = np.array_equal(found.scores, expected.scores, equal_nan=True)
        if found.item_ids != expected.item_ids or not same:
            raise VerificationFailed(f"golden request {number} got {found}, but {expected} before saving")


def switch(
    engine: Engine, version: str, *, why: str = models.PUBLISHED, instead_of: Sequence[str | None] | None = None
) -> str | None:
    """Let the version serve, and return the one that served before.

    One that recommends makes every shopper and item due. What was counted for the one before is forgotten; the refresh
    of each shopper counts what is new to this one. Raises `UnknownVersion`, and `Overtaken` where another serves than
    `instead_of` allows.
    """
    for left in reversed(range(_ATTEMPTS)):
        try:
            return _switch(engine, version, why, instead_of)
        except OperationalError as error:
            # Intake may take rows that are due in another order. It tries again, too.
            if getattr(error.orig, "sqlstate", None) != _DEADLOCK or not left:
                raise
    raise AssertionError(f"{_ATTEMPTS} attempts ended neither way")


def _switch(engine: Engine, version: str, why: str, instead_of: Sequence[str | None] | None) -> str | None:
    with engine.begin() as connection:
        capability = version.partition("-")[0]
        before = models.locked(connection, capability)
        if instead_of is not None and before not in instead_of:
            raise Overtaken(
                f"{version} was tested against {instead_of[0] or 'no live version'}, but {before} serves by now: "
                f"`reshelf models promote {version}` lets it serve"
            )
        models.switch(connection, version, why=why)
        if capability == models.RECOMMEND:
            transitions.clear(connection)  # after the switch, which waits for those who count
            training.mark_items(connection)
            training.mark_shoppers(connection)
    return before


def _judge(home: Path, saved: Ranker, candidate: Artifact, live: Row[Any] | None, cases: Cases) -> Verdict:
    """Ask the gate. A live version that cannot be loaded cannot be compared with: popularity has to do."""
    if live is None:
        return gate.judge(saved, candidate, cases, None, name=None, notes=["no version serves yet"])
    try:
        weights = artifact.load(configuration.model_folder(home, live.version))
    except ArtifactError as error:
        return gate.judge(saved, candidate, cases, None, name=None, notes=[f"{live.version} is damaged: {error}"])
    return gate.judge(saved, candidate, cases, weights, name=live.version, notes=[])
