"""Publishing: new folder, reload, verify, judge, register, switch one pointer. The same for every capability.

If it is killed at any point, the pointer still names a complete version, and the next publishing cleans up.
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
"""Verifies the saved model and returns the verdict. Raises `VerificationFailed` if it differs from the fitted one."""


@dataclass(frozen=True)
class Candidate:
    """A trained model to publish: its capability, what to save, and how it was made.

    `config` is what the registry shows, if that is not the artifact's whole config.
    """

    capability: str
    artifact: Artifact
    origin: Origin
    config: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Outcome:
    """The result of publishing: the version, its folder, the gate's verdict, and whether it is live.

    `reasons` say why it is not, if it was to be. `previous` was live before it.
    """

    version: str
    folder: Path
    verdict: Verdict
    published: bool
    previous: str | None
    reasons: list[str]


def publish(engine: Engine, home: Path, candidate: Candidate, judge: Judge, *, serve: bool = True) -> Outcome:
    """Save and register the candidate, and make it live if `judge` passes it and `serve` is True.

    It replaces only the version that it was made from (`Origin.parent`). Hold `storage.registry.training.exclusive`
    meanwhile. A rejected candidate is kept too, with the reasons. Raises `VerificationFailed`.
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
