"""Agreement between the processes of one training: they run the same program, and the first one makes the decisions.

A single process is a group of one: it agrees with itself, and nothing is sent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from model.errors import DataError

_T = TypeVar("_T")


def alone() -> bool:
    """Whether this process is its whole group."""
    return jax.process_count() == 1


def leads() -> bool:
    """Whether this is the process that validates, reports and writes."""
    return jax.process_index() == 0


def first(make: Callable[[], _T]) -> _T:
    """The first process's result of `make`, in every process; the others wait and do not call it.

    The value has to be JSON. All processes have to call this, in the same order.
    """
    if alone():
        return make()
    text = json.dumps(make()).encode() if leads() else b""
    length = int(multihost_utils.broadcast_one_to_all(np.int32(len(text))))
    padded = np.frombuffer(text.ljust(length), np.uint8)
    agreed: _T = json.loads(np.asarray(multihost_utils.broadcast_one_to_all(padded)).tobytes())
    return agreed


def wait() -> None:
    """Returns when every process of the group has called it."""
    multihost_utils.sync_global_devices("lockstep")


def first_arrays(arrays: Mapping[str, np.ndarray] | None, like: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The first process's arrays, in every process; the others pass None. `like` has the shapes and dtypes."""
    given = arrays if arrays is not None else {name: np.zeros_like(value) for name, value in like.items()}
    return {name: np.asarray(multihost_utils.broadcast_one_to_all(given[name])) for name in like}


def require_same(what: str, arrays: Iterable[np.ndarray]) -> None:
    """Raises DataError in each process whose `arrays` differ from the first one's."""
    if alone():
        return
    digest = hashlib.sha256(what.encode())
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    own = digest.hexdigest()
    if own != first(lambda: own):
        raise DataError(
            f"process {jax.process_index()} has other data, another config or another seed than process 0: "
            "start every process with the same options, on the same files or the same database"
        )
