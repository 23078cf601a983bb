"""The folders of model versions: made under a name that nothing reads, kept for as long as they may be wanted."""

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
# Versions that served last, whatever their age: the ways back.
_LAST_SWITCHES = 3


@contextmanager
def staging(home: Path, version: str) -> Iterator[Path]:
    """Yield where to write and test a version before anything may read it; nothing stays of one that failed there."""
    folder = _staged(home, version)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def curve(home: Path, version: str) -> Path:
    """Return where the picture of a version's training is kept."""
    return configuration.model_folder(home, f"{version}.png")


def moments(home: Path, version: str) -> Path:
    """Return where a version's optimizer state is kept: an update goes on with it, serving does not need it."""
    return configuration.model_folder(home, f"{version}.moments.npz")


def settle(home: Path, version: str) -> Path:
    """Give the staged folder of a registered version its name; return it."""
    folder = configuration.model_folder(home, version)
    _rename(_staged(home, version), folder)
    return folder


def clear_leftovers(engine: Engine, home: Path, capability: str = models.RECOMMEND) -> None:
    """Finish, or remove, what a process left that was killed while it published or deleted.

    Call it while nobody else publishes for the capability. A version that was registered is whole, and gets its folder.
    """
    with engine.connect() as connection:
        kept = {row.version for row in models.versions(connection) if row.forgotten_at is None}
    # Those that were being written themselves begin with two dots.
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
    """Delete the weights of old versions, and return their names; what is known of them stays in the registry.

    What serves, what served last, `also`, and the newest `keep` stay. Folders on other machines are not ours to delete.
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
    """Delete one version, unless it is wanted; nobody can switch to it meanwhile.

    Renamed first, noted, then deleted: killed in between, it is either there again or gone (`clear_leftovers`).
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
