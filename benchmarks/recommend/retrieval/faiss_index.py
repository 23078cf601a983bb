"""An index of item vectors for catalogues that take too long to scan: candidates from a library, then scored exactly.

The vectors are in lists by their nearest centre, each coordinate in four bits (faiss, IVFPQFastScan; Jégou, Douze and
Schmid 2011, Product Quantization for Nearest Neighbor Search). A search reads an eighth of the lists and returns many
more candidates than needed; `retrieval.rescored` picks the best by the exact vectors, and leaves out closed items.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

import numpy as np
from jaxtyping import Bool, Float32, Int, Int32

from model.batching import power_of_two
from model.errors import ConfigError, DataError

# Candidates per wanted item, and one in how many lists is read: recall@100 .987 on a million learned vectors.
PER_RESULT = 8
_PROBED = 8
_TRAINED_PER_LIST = 64
_ROUNDS = 6
_BITS = 4
# With fewer open items, its lists have too little to learn from.
LEAST_ITEMS = 4096


class Index:
    """Candidates by approximate inner product, updated row by row. For one thread at a time.

    Keeps dim / 2 + 8 bytes per item, not the vectors. A search gives the same candidates for a user whatever other rows
    are in the call, as long as calls have the same number of rows. Updated rows use the existing centres, so a
    catalogue that has changed much (`changed`, say above .3) needs a new index.
    """

    def __init__(
        self, vectors_CxD: Float32[np.ndarray, "C D"], open_C: Bool[np.ndarray, " C"], *, seed: int = 0
    ) -> None:
        """Learns from the open rows and holds them.

        Raises ConfigError if the library is missing or fewer than LEAST_ITEMS rows are open, DataError for shapes that
        contradict each other.
        """
        if vectors_CxD.ndim != 2 or open_C.shape != vectors_CxD.shape[:1]:
            raise DataError(f"vectors_CxD {vectors_CxD.shape} and open_C {open_C.shape} must agree in their rows")
        faiss = _library()
        slots_N = np.flatnonzero(open_C)
        if len(slots_N) < LEAST_ITEMS:
            raise ConfigError(f"an index needs {LEAST_ITEMS} open items, there are {len(slots_N)}; scan them instead")
        dim = vectors_CxD.shape[1]
        lists = power_of_two(int(np.sqrt(len(slots_N))))
        self._centres = faiss.IndexFlatIP(dim)
        self._index = faiss.IndexIVFPQFastScan(self._centres, dim, lists, dim, _BITS, faiss.METRIC_INNER_PRODUCT)
        # On the vectors themselves and on centres of unit length, recall was .978 where residuals had .972.
        self._index.by_residual = False
        self._index.cp.spherical = True
        self._index.cp.niter, self._index.cp.seed = _ROUNDS, seed
        self._index.cp.max_points_per_centroid = _TRAINED_PER_LIST
        self._index.nprobe = max(lists // _PROBED, 1)
        sample = np.random.default_rng(seed).permutation(slots_N)[: _TRAINED_PER_LIST * lists]
        # Each of its many small rounds waits for all threads: on a busy machine two took 60 times as long as one.
        threads = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)
        try:
            self._index.train(np.ascontiguousarray(vectors_CxD[sample], np.float32))
        finally:
            faiss.omp_set_num_threads(threads)
        self._held = np.zeros(len(open_C), bool)
        self._changes = 0
        self._add(slots_N, vectors_CxD[slots_N])

    def __len__(self) -> int:
        """The number of items that can be found."""
        return int(self._index.ntotal)

    @property
    def changed(self) -> float:
        """Rows updated since the index was made, as a share of those it holds."""
        return self._changes / max(len(self), 1)

    @property
    def memory(self) -> int:
        """Bytes of codes, slots and centres."""
        centres = 4 * self._index.nlist * self._index.d
        return len(self) * (self._index.code_size + 8) + centres

    def patch(self, slots_N: Int[np.ndarray, " N"], rows_NxD: Float32[np.ndarray, "N D"]) -> None:
        """Replaces the vectors of these slots; slots may be new. The last of equal slots counts.

        Reads every slot held once, whatever N is: patch many together.
        """
        if rows_NxD.shape != (len(slots_N), self._index.d):
            raise DataError(f"rows_NxD has shape {rows_NxD.shape}, expected {(len(slots_N), self._index.d)}")
        last = sorted({int(slot): n for n, slot in enumerate(slots_N)}.values())
        self.close(slots_N)
        self._add(np.asarray(slots_N)[last], rows_NxD[last])
        self._changes += len(last)

    def close(self, slots_N: Int[np.ndarray, " N"]) -> None:
        """Removes these slots; those it does not hold are ignored. `patch` opens one again."""
        slots_N = np.asarray(slots_N, np.int64)
        held_N = slots_N[slots_N < len(self._held)]
        held_N = np.unique(held_N[self._held[held_N]])
        if len(held_N):
            self._index.remove_ids(held_N)
            self._held[held_N] = False

    def search(self, users_BxD: Float32[np.ndarray, "B D"], candidates: int) -> Int32[np.ndarray, "B M"]:
        """Distinct slots of about the best `candidates` items of each user, best first; -1 if there are fewer.

        Ask for PER_RESULT times as many as are wanted.
        """
        _, slots_BxM = self._index.search(np.ascontiguousarray(users_BxD, np.float32), candidates)
        return slots_BxM.astype(np.int32)

    def _add(self, slots_N: np.ndarray, rows_NxD: np.ndarray) -> None:
        if len(slots_N) == 0:
            return
        room = power_of_two(int(slots_N.max()) + 1)
        if room > len(self._held):
            self._held = np.concatenate([self._held, np.zeros(room - len(self._held), bool)])
        self._index.add_with_ids(np.ascontiguousarray(rows_NxD, np.float32), np.asarray(slots_N, np.int64))
        self._held[slots_N] = True


def available() -> bool:
    """Whether the library is installed."""
    return importlib.util.find_spec("faiss") is not None


def _library() -> ModuleType:
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise ConfigError("an index needs the library faiss: pip install faiss-cpu") from error
