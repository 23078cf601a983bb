"""The matrix of item vectors on the device."""

from __future__ import annotations

import jax
import numpy as np
from jaxtyping import Float32, Int

from model.recommend.serving.compiled import Programs


class Matrix:
    """The vectors, one per slot: by row, for lookups, and by column, for products with all of them.

    A large catalogue, which is scanned, is kept only once.
    """

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self.rows: jax.Array
        self.columns: jax.Array | None = None

    def place(self, host_CxD: Float32[np.ndarray, "C D"], *, by_columns: bool) -> None:
        """Puts a whole matrix on the device, also `by_columns` if asked."""
        self.rows = on_device(host_CxD)
        self.columns = on_device(np.ascontiguousarray(host_CxD.T)) if by_columns else None

    def patch(self, slots_N: Int[np.ndarray, " N"], rows_NxD: np.ndarray | jax.Array) -> None:
        """Puts these vectors into these slots; a slot beyond the last is ignored."""
        rows_NxD = np.asarray(rows_NxD)
        self.rows = self._programs.patch(self.rows, slots_N, rows_NxD)
        if self.columns is not None:
            self.columns = self._programs.patch_columns(self.columns, slots_N, rows_NxD)


def on_device(array: np.ndarray) -> jax.Array:
    """A copy, never a view: the host's array changes later, and the matrix is donated."""
    return jax.device_put(array, may_alias=False)
