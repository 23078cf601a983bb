"""The folders of model versions: written under a name that nothing reads, and deleted when they are old."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from storage.registry import models
from workers import settings as configuration

log = logging.getLogger(__name__)

_PARTIAL = ".partial-"
# The last versions that were live are kept whatever their age, for a rollback.
_LAST_SWITCHES = 3


@contextmanager
def staging(home: Path, version: str) -> Iterator[Path]:
    """Yield a folder to write and test a version in, which nothing else reads; it is deleted if the block fails."""
    folder = _staged(home, version)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def curve(home: Path, version: str) -> Path:
    """Return the path of the plot of a version's training."""
    return configuration.model_folder(home, f"{version}.png")


def moments(home: Path, version: str) -> Path:
    """Return the path of a version's optimizer state: an update continues with it, serving does not need it."""
    return configuration.model_folder(home, f"{version}.moments.npz")


def settle(home: Path, version: str) -> Path:
    """Rename the staged folder of a registered version to its final name; return it."""
    folder = configuration.model_folder(home, version)
    _rename(_staged(home, version), folder)
    return folder


def clear_leftovers(engine: Engine, home: Path, capability: str = models.RECOMMEND) -> None:
    """Finish, or delete, what a process left that was killed while it published or deleted.

    Call it while nobody else publishes for the capability. A registered version is complete, and its folder gets its
    name.
    """
    with engine.connect() as connection:
        kept = {row.version for row in models.versions(connection) if row.forgotten_at is None}
    # Folders that were still being written begin with two dots.
    for leftover in sorted(configuration.model_folder(home, "").glob(f".*{_PARTIAL[1:]}{capability}-*")):
        version = leftover.name.removeprefix(_PARTIAL)
        if leftover.name.startswith(_PARTIAL) and version in kept:
            log.warning("finishing %s, which a killed process left", version)
            _rename(leftover, configuration.model_folder(home, version))
        else:
            log.warning("removing %s, which a killed process left", leftover)
            shutil.rmtree(leftover)


def forget_old(
    engine: Engine, home: Path, *, keep: int, also: Collection[str] = (), capability: str = models.RECOMMEND
) -> list[str]:
    """Delete the weights of old versions, and return their names; their rows stay in the registry.

    The live version, the last live ones, `also`, and the newest `keep` are kept. Folders on other machines are not
    deleted.
    """
    forgotten = []
    with engine.connect() as connection:
        rows = models.versions(connection, capability)
    for row in rows[keep:]:
        folder = configuration.model_folder(home, row.version)
        if row.forgotten_at is None and folder.is_dir() and _forget(engine, home, row.version, capability, also):
            forgotten.append(row.version)
    return forgotten


def _forget(engine: Engine, home: Path, version: str, capability: str, also: Collection[str]) -> bool:
    """Delete one version, unless it is still needed; nobody can switch to it meanwhile.

    It is renamed first, noted, then deleted: if killed in between, it is restored or deleted by `clear_leftovers`.
    """
    with engine.begin() as connection:
        live = models.locked(connection, capability, share=True)
        last = models.switches(connection, capability)[:_LAST_SWITCHES]
        if version in {live, *also, *(row.version for row in last), *(row.previous for row in last)}:
            return False
        _rename(configuration.model_folder(home, version), _staged(home, version))
        models.forget(connection, version)
    shutil.rmtree(_staged(home, version))
    curve(home, version).unlink(missing_ok=True)
    moments(home, version).unlink(missing_ok=True)
    return True


def _staged(home: Path, version: str) -> Path:
    return configuration.model_folder(home, _PARTIAL + version)


def _rename(source: Path, target: Path) -> None:
    source.rename(target)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
