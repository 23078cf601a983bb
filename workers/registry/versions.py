"""Versions in the making: fresh folder, reload, a test of what was saved, its row, its name. They serve nobody yet.

Killed at any point, a version is whole, or gone once the next one has been begun.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from model import artifact
from model.artifact import Artifact
from storage.registry import models
from workers.registry import code_version, model_store


class VerificationFailed(RuntimeError):
    """The saved model, loaded again, does not answer as the fitted one; it was not published."""


@dataclass(frozen=True)
class Origin:
    """How a version was made, of which one, and from when to when what it learnt from happened."""

    how: str = models.FULL
    parent: str | None = None
    learnt_from: datetime | None = None
    learnt_through: datetime | None = None


@dataclass(frozen=True)
class Staged:
    """A version under a name that nothing reads: what was saved, loaded again, and the hash of its content."""

    version: str
    saved: Artifact
    digest: str


@contextmanager
def staged(engine: Engine, home: Path, capability: str, made: Artifact) -> Iterator[Staged]:
    """Save a version for the block to test; nothing stays of one that fails there.

    Hold `storage.registry.training.exclusive` meanwhile, and until it is registered.
    """
    model_store.clear_leftovers(engine, home, capability)
    version = models.version_name(capability, datetime.now(UTC), secrets.token_hex(3))
    with model_store.staging(home, version) as folder:
        digest = artifact.save(folder, made)
        yield Staged(version, artifact.load(folder), digest)


def register(
    engine: Engine,
    home: Path,
    tested: Staged,
    origin: Origin,
    *,
    gate: Mapping[str, Any],
    config: Mapping[str, Any] | None = None,
) -> Path:
    """Keep a tested version with what the gate said of it; return its folder.

    `config` is what the registry shows, where that is not all of the artifact's own.
    """
    with engine.begin() as connection:
        models.register(
            connection,
            tested.version,
            config=tested.saved.config if config is None else config,
            metrics=tested.saved.metrics,
            how=origin.how,
            parent=origin.parent,
            learnt_from=origin.learnt_from,
            learnt_through=origin.learnt_through,
            code=code_version.version(),
            digest=tested.digest,
            gate=gate,
        )
    return model_store.settle(home, tested.version)
