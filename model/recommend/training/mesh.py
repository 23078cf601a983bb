"""Where the arrays of a training are: on a mesh of devices, of one process or of several.

| array | where |
| --- | --- |
| embedding tables, their gradients and Adam moments | by rows: each device holds one part |
| packed rows of events | by rows; every step's batch is gathered from all parts, and each device takes its share |
| everything else: blocks, item features, draws of negatives | whole, on every device |

XLA derives the communication from that. Random numbers depend on seed, epoch and step, never on the number of devices,
so that any number of devices computes the same training, up to the rounding of sums in another order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from model.recommend import network

_AXIS = "devices"

Tree = Any
"""Arrays in named tuples and mappings; a table, and the optimiser's state of it, have the table's name as their key."""


def all_devices() -> Mesh:
    """A mesh of all devices that JAX shows this process, including those of its group's other processes."""
    return from_devices(jax.devices())


def from_devices(devices: list[jax.Device]) -> Mesh:
    """A mesh of these devices. In a group, each process must pass the same ones, and have at least one of them."""
    return Mesh(np.array(devices), (_AXIS,))


def by_rows(mesh: Mesh) -> NamedSharding:
    """Divides the first axis over the devices."""
    return NamedSharding(mesh, PartitionSpec(_AXIS))


def everywhere(mesh: Mesh) -> NamedSharding:
    """Each device holds the whole array."""
    return NamedSharding(mesh, PartitionSpec())


def divisible(mesh: Mesh, count: int) -> int:
    """The smallest multiple of the number of devices that is at least `count`."""
    return -(-count // mesh.size) * mesh.size


def shardings(mesh: Mesh, state: Tree) -> Tree:
    """The sharding of each array of a training's state."""

    def sharding(path: Any, _: Any) -> NamedSharding:
        return everywhere(mesh) if _table(path) is None else by_rows(mesh)

    return jax.tree_util.tree_map_with_path(sharding, state)


def place(value: np.ndarray | jax.Array, sharding: NamedSharding) -> jax.Array:
    """A copy of `value` with this sharding; each process of a group passes the same value, and stores its own part."""
    value = np.asarray(value)
    # A copy, even if the CPU could share the memory: training takes over the buffers of its state.
    return jax.make_array_from_callback(value.shape, sharding, lambda part: np.array(value[part]))


@dataclass(frozen=True)
class Placement:
    """The state of one training on a mesh, with tables padded with zero rows that nothing refers to.

    `rows` maps each table to its rows without padding.
    """

    mesh: Mesh
    rows: Mapping[str, int]

    @staticmethod
    def for_params(mesh: Mesh, params: network.Params) -> Placement:
        """The placement of these parameters, which are not padded."""
        return Placement(mesh, {name: len(params[name]) for name in network.EMBEDDINGS})

    def put(self, state: Tree) -> Tree:
        """The arrays of `state`, padded, on the mesh."""

        def put(path: Any, value: Any) -> jax.Array:
            if _table(path) is None:
                return place(value, everywhere(self.mesh))
            padding = divisible(self.mesh, len(value)) - len(value)
            return place(np.pad(value, ((0, padding), (0, 0))), by_rows(self.mesh))

        return jax.tree_util.tree_map_with_path(put, state)

    def fetch(self, state: Tree) -> Tree:
        """The state as whole arrays in the host's memory, without padding; in a group, in each process.

        Each array is briefly whole on every device, one after the other.
        """

        def fetch(path: Any, value: jax.Array) -> np.ndarray:
            whole = multihost_utils.process_allgather(value, tiled=True)
            table = _table(path)
            return np.array(whole if table is None else whole[: self.rows[table]])

        return jax.tree_util.tree_map_with_path(fetch, state)


def _table(path: tuple[Any, ...]) -> str | None:
    """The table that the array at this path of a state belongs to, None for other arrays."""
    names = [entry.key for entry in path if isinstance(entry, jax.tree_util.DictKey)]
    return next((name for name in names if name in network.EMBEDDINGS), None)
