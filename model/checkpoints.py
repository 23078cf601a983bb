"""What a training that was killed goes on from: its state after each epoch, kept by Orbax's CheckpointManager.

Beside `artifact.py` the only file of `model` that writes to the disk.
"""

from __future__ import annotations

import logging
import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import LatestN

from model import artifact
from model.errors import ArtifactError

log = logging.getLogger(__name__)

# The one before the last is for a machine that lost power while the last was written.
_KEPT = 2

State = tuple[dict[str, np.ndarray], dict[str, Any]]


class Checkpoints:
    """The states of one training in a folder, numbered from 1; the last two are kept.

    One that is being written has another name, so a killed process leaves none that is half there.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder).absolute()

    def exist(self) -> bool:
        """Whether a state was kept."""
        return any(path.name.isdecimal() for path in self._folder.glob("*/"))

    def load(self) -> State | None:
        """The last state that is as it was saved: flat arrays and facts. None where there is none.

        Damaged ones are logged and deleted.
        """
        if not self.exist():
            return None
        with self._manager() as manager:
            for step in sorted(manager.all_steps(), reverse=True):
                try:
                    return _read(manager, step)
                except ArtifactError as error:
                    log.warning("%s; it is deleted, and training goes on from the one before it", error)
                    manager.delete(step)
        return None

    def save(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        """Adds a state, whose `facts` JSON can say; returns when it is on the disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        kept = {name: np.asarray(value) for name, value in arrays.items()}
        noted = {"facts": dict(facts), "digest": artifact.digest(kept, facts)}
        with self._manager() as manager:
            made = ocp.args.Composite(arrays=ocp.args.StandardSave(kept), noted=ocp.args.JsonSave(noted))
            manager.save((manager.latest_step() or 0) + 1, args=made)

    def _manager(self) -> ocp.CheckpointManager:
        # Of a group of processes one alone saves, so there is nobody to wait for.
        own = jax.process_index()
        alone = ocp.options.MultiprocessingOptions(
            primary_host=own, active_processes={own}, barrier_sync_key_prefix=f"checkpoints-{own}"
        )
        options = ocp.CheckpointManagerOptions(
            preservation_policy=LatestN(_KEPT),
            multiprocessing_options=alone,
            cleanup_tmp_directories=True,
            # A state counts when `save` returns; written behind the next epoch, the last one may be lost.
            enable_async_checkpointing=False,
            create=False,
        )
        return ocp.CheckpointManager(self._folder, options=options)


def _read(manager: ocp.CheckpointManager, step: int) -> State:
    """Raises ArtifactError for a state that is not what was saved. Orbax does not check the values of arrays."""
    try:
        read = ocp.args.Composite(arrays=ocp.args.StandardRestore(), noted=ocp.args.JsonRestore())
        found = manager.restore(step, args=read)
        arrays = {name: np.asarray(value) for name, value in found["arrays"].items()}
        facts, digest = found["noted"]["facts"], found["noted"]["digest"]
    except Exception as error:
        why = textwrap.shorten(str(error), 200)
        raise ArtifactError(f"checkpoint {step} in {manager.directory} cannot be read ({why})") from error
    if artifact.digest(arrays, facts) != digest:
        raise ArtifactError(f"checkpoint {step} in {manager.directory} was altered since it was saved")
    return arrays, facts
