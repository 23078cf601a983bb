"""Saved weights: a folder with the parameters (Orbax), the config, the frozen id map and the metrics (JSON).

This is the only file of `model` that writes to the disk (`text/bert/folder.py` reads published encoders). A folder is
written whole under a temporary name, flushed, and renamed; its manifest holds the hash of every other file, so that
`load` notices whatever changed since.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from model.errors import ArtifactError

_FORMAT = 1
_MANIFEST = "manifest.json"
_FACTS = "facts.json"


@dataclass(frozen=True)
class Artifact:
    """One trained model. `params` is flat: dotted names to arrays. `ids[i]` is the external id of dense id i.

    `digest` is the content hash: empty until saved.
    """

    kind: str
    params: Mapping[str, np.ndarray]
    config: Mapping[str, Any]
    ids: tuple[str, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""


def save(folder: str | os.PathLike[str], artifact: Artifact) -> str:
    """Writes `artifact` to the fresh `folder` and returns its content hash (hex SHA-256).

    Raises ArtifactError if `folder` exists: weights in use are never overwritten.
    """
    target = Path(folder).absolute()
    if target.exists():
        raise ArtifactError(f"{target} exists already; save each model under a fresh name")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        digest = _write(partial, artifact)
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _flush(target.parent)
    return digest


def load(folder: str | os.PathLike[str]) -> Artifact:
    """The artifact in `folder`, with its parameters as numpy arrays, after its hashes were verified.

    Raises ArtifactError, naming the folder and what to do, if it is absent, incomplete or altered.
    """
    source = Path(folder).absolute()
    manifest = _manifest(source)
    if manifest.get("format") != _FORMAT:
        raise ArtifactError(
            f"{source} has format {manifest.get('format')!r}, this version reads {_FORMAT}; train it again"
        )
    found = _hashes(source)
    changed = sorted(name for name in {*manifest["files"], *found} if manifest["files"].get(name) != found.get(name))
    if changed:
        raise _altered(source, ", ".join(changed[:3]))
    description = json.loads((source / "description.json").read_text("utf-8"))
    with _checkpointer() as checkpointer:
        params = {name: np.asarray(value) for name, value in checkpointer.restore(source / "params").items()}
    if _digest(params, description) != manifest["digest"]:
        raise _altered(source, _MANIFEST)
    return Artifact(**description | {"ids": tuple(description["ids"])}, params=params, digest=manifest["digest"])


class FileCheckpoint:
    """The state of a training in one file, replaced whole each time, so that a killed training can go on."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def load(self) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        """What was saved last, None before the first time. Raises ArtifactError for a file that cannot be read."""
        if not self._path.exists():
            return None
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
                arrays = {name: saved[name] for name in saved.files}
            return arrays, json.loads(arrays.pop(_FACTS).tobytes())
        except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
            raise ArtifactError(f"{self._path} cannot be read ({error}); delete it to train from the start") from error

    def save(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        """Replaces what was saved; flushed to the disk."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_name(f".{self._path.name}.partial")
        with partial.open("wb") as file:
            np.savez(file, **{**arrays, _FACTS: np.frombuffer(json.dumps(facts).encode(), np.uint8)})
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self._path)
        _flush(self._path.parent)

    def delete(self) -> None:
        """Removes the file, if there is one."""
        self._path.unlink(missing_ok=True)


def _write(folder: Path, artifact: Artifact) -> str:
    params = {name: np.asarray(value) for name, value in artifact.params.items()}
    with _checkpointer() as checkpointer:
        checkpointer.save(folder / "params", params)
    description = {
        "kind": artifact.kind,
        "config": dict(artifact.config),
        "ids": list(artifact.ids),
        "metrics": dict(artifact.metrics),
    }
    (folder / "description.json").write_text(json.dumps(description, ensure_ascii=False, indent=1), "utf-8")
    manifest = {"format": _FORMAT, "digest": _digest(params, description), "files": _hashes(folder)}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
    for path in sorted(folder.rglob("*")):
        _flush(path)
    _flush(folder)
    return manifest["digest"]


def _checkpointer() -> ocp.Checkpointer:
    # Orbax would wait for all processes of a group, of which one alone saves what it holds whole.
    own = jax.process_index()
    alone = ocp.options.MultiprocessingOptions(
        primary_host=own, active_processes={own}, barrier_sync_key_prefix=f"artifact-{own}"
    )
    return ocp.Checkpointer(ocp.PyTreeCheckpointHandler(multiprocessing_options=alone), multiprocessing_options=alone)


def _manifest(source: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((source / _MANIFEST).read_text("utf-8"))
    except FileNotFoundError as error:
        what = "holds no saved model" if source.is_dir() else "does not exist"
        raise ArtifactError(f"{source} {what}; check the path, or train and save a model there") from error
    except ValueError as error:
        raise ArtifactError(f"{source / _MANIFEST} cannot be read; restore the folder from a copy") from error
    if not isinstance(manifest, dict) or not {"files", "digest"} <= manifest.keys():
        raise ArtifactError(f"{source / _MANIFEST} is not a model's manifest; restore the folder from a copy")
    return manifest


def _hashes(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != _MANIFEST)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _digest(params: Mapping[str, np.ndarray], description: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    for name in sorted(params):
        value = params[name]
        digest.update(f"{name} {value.dtype} {value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def _altered(source: Path, what: str) -> ArtifactError:
    return ArtifactError(
        f"{source} was altered or is incomplete since it was saved ({what}); "
        "restore the folder from a copy, or roll back to the version before it"
    )


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
