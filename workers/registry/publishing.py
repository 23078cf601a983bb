"""Publishing: fresh folder, reload, verify, judge, register, one pointer switched. The same for every capability.

Killed at any point, the pointer names a whole version, and the next publishing clears up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from model.artifact import Artifact
from workers.registry import switching, versions
from workers.registry.switching import Overtaken
from workers.registry.verdict import Verdict
from workers.registry.versions import Origin

log = logging.getLogger(__name__)

Judge = Callable[[Artifact], Verdict]
"""Verifies the saved model and says whether it may serve. Raises `VerificationFailed` where it is not the fitted one.
"""


@dataclass(frozen=True)
class Candidate:
    """A trained model that asks to serve: of which capability, what to save, and how it was made.

    `config` is what the registry shows, where that is not all of the artifact's own.
    """

    capability: str
    artifact: Artifact
    origin: Origin
    config: Mapping[str, Any] | None = None


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


def publish(engine: Engine, home: Path, candidate: Candidate, judge: Judge, *, serve: bool = True) -> Outcome:
    """Save and register the candidate, and let it serve if `judge` passes it and `serve` asks for it.

    It takes the place of the version that it is made from (`Origin.parent`), of no other. Hold
    `storage.registry.training.exclusive` meanwhile. A candidate that is rejected is kept too, with the reasons. Raises
    `VerificationFailed`.
    """
    with versions.staged(engine, home, candidate.capability, candidate.artifact) as made:
        said = judge(made.saved)
    version, origin = made.version, candidate.origin
    folder = versions.register(engine, home, made, origin, gate=said.as_json(), config=candidate.config)
    if not serve or not said.passed:
        log.info("%s does not serve: %s", version, said.reasons or "nobody asked for it")
        return Outcome(version, folder, said, False, None, said.reasons)
    try:
        previous = switching.switch(engine, version, instead_of=(origin.parent,))
    except Overtaken as error:
        return Outcome(version, folder, said, False, None, [str(error)])
    return Outcome(version, folder, said, True, previous, [])
