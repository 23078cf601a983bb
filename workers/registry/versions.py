"""New versions: a new folder, reload, test, register, final name. They are not live yet.

If it is killed at any point, a version is complete, or is deleted when the next one is begun.
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
    """The saved model, loaded again, gives other answers than the fitted one; it was not published."""


@dataclass(frozen=True)
class Origin:
    """How a version was made, from which version, and the time span of the data it learnt from."""

    how: str = models.FULL
    parent: str | None = None
    learnt_from: datetime | None = None
    learnt_through: datetime | None = None


@dataclass(frozen=True)
class Staged:
    """A version under a name that nothing reads: the saved model, loaded again, and the hash of its content."""

    version: str
    saved: Artifact
    digest: str


@contextmanager
def staged(engine: Engine, home: Path, capability: str, made: Artifact) -> Iterator[Staged]:
    """Save a version for the block to test; it is deleted if the block fails.

    Hold `storage.registry.training.exclusive` until it is registered.
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
    """Register a tested version with the result of the gate; return its folder.

    `config` is what the registry shows, if that is not the artifact's whole config.
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
