"""Switch versions by hand: promote one, or roll back to the previous one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, Row

from model import artifact
from model.errors import ArtifactError
from storage.registry import models
from workers import settings as configuration
from workers.registry import reports, switching


class NotPromoted(RuntimeError):
    """The version cannot, or may not, become live; says why and what to do. The live version stays live."""


class Switched(NamedTuple):
    """The version that is live now, and the one that was before."""

    version: str
    previous: str | None


def promote(engine: Engine, home: Path, version: str, *, force: bool = False) -> Switched:
    """Make `version` live, once its folder has been loaded and its hashes verified.

    Raises `UnknownVersion`, and `NotPromoted` if it is live already, is damaged, or was rejected by the gate (unless
    `force` is given).
    """
    with engine.connect() as connection:
        row = models.get(connection, version)
        live = models.live(connection, row.capability)
    if live is not None and live.version == version:
        raise NotPromoted(f"{version} serves already, since {live.switched_at:%Y-%m-%d %H:%M} UTC")
    rejected = reports.reasons(row)
    if rejected and not force:
        raise NotPromoted(
            f"the gate rejected {version}: {'; '.join(rejected)}. `reshelf models promote {version} --force` lets it "
            "serve all the same"
        )
    _check(home, row)
    why = models.FORCED if rejected else models.PROMOTED
    return Switched(version, switching.switch(engine, version, why=why))


def rollback(engine: Engine, home: Path, capability: str = models.RECOMMEND) -> Switched:
    """Make the version live that the live one replaced. Raises `NotPromoted`, `UnknownVersion`, `Overtaken`."""
    with engine.connect() as connection:
        live = models.live(connection, capability)
        if live is None:
            raise NotPromoted("no version serves: `reshelf train` makes one")
        before = models.served_before(connection, live.version)
        if before is None:
            raise NotPromoted(f"nothing served before {live.version}: `reshelf models list` shows what there is")
        row = models.get(connection, before)
    _check(home, row)
    switching.switch(engine, before, why=models.ROLLED_BACK, instead_of=[live.version])
    return Switched(before, live.version)


def _check(home: Path, row: Row[Any]) -> None:
    """Raise `NotPromoted` unless the folder holds the complete model that was registered."""
    try:
        found = artifact.load(configuration.model_folder(home, row.version))
    except ArtifactError as error:
        raise NotPromoted(f"{row.version} cannot serve: {error}") from error
    if row.digest is not None and found.digest != row.digest:
        raise NotPromoted(
            f"the folder of {row.version} holds another model (content {found.digest[:12]}, registered "
            f"{row.digest[:12]}); restore the folder from a copy"
        )
