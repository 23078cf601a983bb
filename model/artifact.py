"""Saved weights: a folder with the parameters (Orbax), the config, the frozen id map and the metrics (JSON).

With `checkpoints.py` the only file of `model` that writes to the disk (`text/bert/folder.py` reads published encoders).
A folder is written whole under a temporary name, flushed, and renamed; its manifest holds the hash of every other
file, so that `load` notices whatever changed since.
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
    """Writes `artifact` to the new `folder` and returns its content hash (hex SHA-256).

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
        written = _write(partial, artifact)
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _flush(target.parent)
    return written


def load(folder: str | os.PathLike[str]) -> Artifact:
    """The artifact in `folder`, with its parameters as numpy arrays, after its hashes were verified.

    Raises ArtifactError, naming the folder and what to do, if it does not exist, is incomplete or was altered.
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
    if digest(params, description) != manifest["digest"]:
        raise _altered(source, _MANIFEST)
    return Artifact(**description | {"ids": tuple(description["ids"])}, params=params, digest=manifest["digest"])


def save_arrays(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Writes a file (.npz) of named arrays, or replaces it whole; flushed to the disk."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    with partial.open("wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(target)
    _flush(target.parent)


def load_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray] | None:
    """The arrays of such a file, None if there is none. Raises ArtifactError for one that cannot be read."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
            return {name: saved[name] for name in saved.files}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"{path} cannot be read ({error}); restore it from a copy, or delete it") from error


def digest(arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> str:
    """The hash (hex SHA-256) of named arrays, and of facts that JSON can say."""
    found = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(arrays):
        value = arrays[name]
        found.update(f"{name} {value.dtype} {value.shape}".encode())
        found.update(np.ascontiguousarray(value).tobytes())
    return found.hexdigest()


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
    manifest = {"format": _FORMAT, "digest": digest(params, description), "files": _hashes(folder)}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
    for path in sorted(folder.rglob("*")):
        _flush(path)
    _flush(folder)
    return manifest["digest"]


def _checkpointer() -> ocp.Checkpointer:
    # By default Orbax waits for all processes of a group; here only one saves, and it holds the whole arrays.
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
