"""Serving: a ranker holds the item matrix on the device and answers requests only with compiled functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import jax
import numpy as np
from jaxtyping import Float32

from model import compilations
from model.artifact import Artifact
from model.batching import bucket_of, pad_lists, pad_rows, tiles
from model.catalogue import Item
from model.errors import ConfigError, DataError
from model.recommend import config as configs
from model.recommend import items as item_features
from model.recommend import weights
from model.recommend.blend import Recent
from model.recommend.events import Interaction, Ranked, RankRequest
from model.recommend.serving import compiled, host, matrix, search
from model.recommend.serving import explain as reasons
from model.recommend.serving.catalogue import Catalogue
from model.recommend.serving.explain import MOST_EXPLAINED
from model.recommend.serving.matrix import Matrix
from model.recommend.serving.search import Found
from model.recommend.serving.slot_tables import SlotTables
from model.recommend.transitions import NOTHING

# Requests in one compiled call. Unused ones cost nothing (`rowwise.py`), except in the larger calls that scan the
# catalogue block by block, each block once for all requests.
_ROWS = 32
_ROWS_SCANNING = 128
# Up to this many items, products with all items for a few users at a time are faster for thirty-two users.
_MOST_BY_COLUMNS = 131_072
_NEIGHBOURS = 8  # items whose neighbours are found in one call
_ITEMS = 64  # in one call of the item tower

Encoded = tuple[jax.Array, Recent]


class Ranker:
    """Ranks the whole catalogue for users, and finds similar items. For one thread at a time.

    The same history gives the same ranking, bit for bit, whatever else is in a batch and whenever it is asked: ages are
    measured from the user's own last event. `expected_items` sizes the first matrix (a power of two of at least 1.25
    times as many rows, and 1,024); it doubles when it is full.
    """

    def __init__(self, artifact: Artifact, *, expected_items: int = 0) -> None:
        if artifact.kind != weights.KIND:
            raise ConfigError(f"a ranker needs an artifact of kind {weights.KIND!r}, this one is {artifact.kind!r}")
        self.config = configs.from_json(artifact.config)
        self._counter = compilations.counter()
        self._programs = compiled.build(self.config)
        trained = weights.unpack(artifact.params)
        self._params = jax.device_put(trained.network, may_alias=False)
        self._blend = jax.device_put(trained.blend)
        self._rows = {item_id: row for row, item_id in enumerate(artifact.ids, start=1)}
        self._kinds = {kind: index for index, kind in enumerate(configs.KINDS)}
        self._catalogue = Catalogue(expected_items)
        self._matrix = Matrix(self._programs)
        self._matrix.place(
            np.zeros((self._catalogue.capacity, self.config.dim), np.float32), by_columns=not self._scans
        )
        self._tables = SlotTables(trained.tables, self._catalogue.capacity, self._programs)
        self._faded_T = np.append(trained.faded_T, np.float32(0.0))
        self._warm = False
        self.encodings = 0
        """Histories encoded so far, those without one of their items included."""
        self._publish()

    def __len__(self) -> int:
        """How many items can be in an answer."""
        return int(self._catalogue.open_C.sum())

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._catalogue.slots

    @property
    def compilations(self) -> int:
        """Backend compilations in this process since its first ranker; does not grow after `warm`."""
        return self._counter.count

    @property
    def capacity(self) -> int:
        """Rows of the item matrix."""
        return self._catalogue.capacity

    @property
    def _scans(self) -> bool:
        return self.capacity > _MOST_BY_COLUMNS and search.scans(
            self.capacity, self.config.candidates, search.MOST_SCANNED_PAST
        )

    @property
    def _tile(self) -> int:
        return _ROWS_SCANNING if self._scans else _ROWS

    def warm(self) -> None:
        """Compiles every function for every bucket of shapes, and does so again whenever the matrix grows."""
        self._warm = True
        empty = item_features.features([], {}, self.config)
        embedded = self._programs.embed(self._params, item_features.padded(empty, _ITEMS))
        self._matrix.patch(np.full(_ITEMS, self.capacity, np.int32), embedded)
        self._tables.warm()
        for length in host.lengths(self.config.history):
            users = self._encode([[]], length)
        for width in host.widths(self.capacity):
            jax.block_until_ready(self._search(users, [[]], width))
        jax.block_until_ready(self._scores(users, [[]]))
        jax.block_until_ready(self._neighbours(np.zeros(0, np.int32)))

    def upsert(self, items: Sequence[Item]) -> Float32[np.ndarray, "N D"]:
        """Adds or replaces items and returns their vectors in the given order; of equal ids the last counts.

        An unavailable item keeps its vector, since histories may contain it, and is left out of answers.
        """
        features = item_features.features(items, self._rows, self.config)
        vectors_NxD = np.empty((len(items), self.config.dim), np.float32)
        for tile in tiles(len(items), _ITEMS):
            part = item_features.padded(item_features.ItemFeatures(*(column[tile] for column in features)), _ITEMS)
            vectors_NxD[tile] = np.asarray(self._programs.embed(self._params, part))[: tile.stop - tile.start]
        last = np.array(sorted({item.item_id: n for n, item in enumerate(items)}.values()), np.int64)
        slots_N = self._place([items[n] for n in last])
        for tile in tiles(len(last), _ITEMS):
            self._matrix.patch(
                pad_rows(slots_N[tile], _ITEMS, self.capacity), pad_rows(vectors_NxD[last[tile]], _ITEMS)
            )
        return vectors_NxD

    def load_vectors(self, items: Sequence[Item], vectors_NxD: Float32[np.ndarray, "N D"]) -> None:
        """Adds or replaces items with vectors that this model's `upsert` returned before; fast in bulk.

        Raises DataError if the shapes do not fit this model.
        """
        if np.shape(vectors_NxD) != (len(items), self.config.dim):
            raise DataError(
                f"vectors_NxD has shape {np.shape(vectors_NxD)}, expected {(len(items), self.config.dim)}; "
                "vectors of another model cannot be loaded, upsert the items instead"
            )
        last = np.array(sorted({item.item_id: n for n, item in enumerate(items)}.values()), np.int64)
        slots_N = self._place([items[n] for n in last])
        host_CxD = np.array(self._matrix.rows)
        host_CxD[slots_N] = np.asarray(vectors_NxD, np.float32)[last]
        self._matrix.place(host_CxD, by_columns=not self._scans)

    def remove(self, item_ids: Iterable[str]) -> None:
        """Leaves these items out of every answer from now on; unknown ids are ignored."""
        self._catalogue.remove(item_ids)
        self._publish()

    def add_transitions(self, rows: Mapping[str, Mapping[str, float]]) -> None:
        """Sets the counts from after the training: for each item its successors and how often they followed it.

        The counts are those of `transitions.count`, and add to the trained ones; a later call replaces an earlier count
        of the same pair. Items without a slot are left out.
        """
        slots = self._catalogue.slots
        self._tables.add(
            {
                slots[item_id]: {slots[to]: count for to, count in row.items() if to in slots}
                for item_id, row in rows.items()
                if item_id in slots
            }
        )

    def forget_transitions(self) -> None:
        """Ranks only by the trained counts from now on."""
        self._tables.forget()

    def rank(self, requests: Sequence[RankRequest], *, k: int, explain: int = 0) -> list[Ranked]:
        """For each request the best `k` items, fewer if the catalogue has fewer; ties go by item id.

        Every item is scored; the `config.candidates` best are re-ranked for diversity. Items of the history may be in
        the answer unless excluded. A history that is empty, or has only unknown items, gives the model's prior ranking.
        The first `explain` items, at most `MOST_EXPLAINED`, carry the history event that moved them most. Raises
        ConfigError for a `k` above `config.candidates` and for an unknown event kind.
        """
        self._check(k)
        histories = [self._known(request.history) for request in requests]
        ranked = self._collect(self._found(requests, histories, self._search), len(requests), k)
        if not explain:
            return ranked
        because = self._because(histories, [answer.item_ids[:explain] for answer in ranked])
        return [replace(answer, because=reason) for answer, reason in zip(ranked, because, strict=True)]

    def explain(
        self, requests: Sequence[RankRequest], item_ids: Sequence[Sequence[str]]
    ) -> list[list[Interaction | None]]:
        """For each request, the event of its history that moved each of these items most, None if none did.

        They are the same as those of `rank`: for the first `MOST_EXPLAINED` items, and exact.
        """
        return self._because([self._known(request.history) for request in requests], item_ids)

    def most_probable(self, requests: Sequence[RankRequest], *, k: int) -> list[Ranked]:
        """For each request the `k` most probable next items; the scores are the logarithms of their probabilities.

        Softmax of the final score, before diversity, over all items that may be shown. For measurements: every score is
        computed, and `warm` does not compile it. Raises ConfigError as `rank` does.
        """
        self._check(k)
        histories = [self._known(request.history) for request in requests]
        return self._collect(self._found(requests, histories, self._likeliest), len(requests), k)

    def similar(self, item_ids: Sequence[str], *, k: int) -> list[Ranked]:
        """For each item the `k` available items with the greatest cosine u.v / sqrt(u.u v.v), without the item itself.

        An item without a vector gets an empty answer. Raises ConfigError for a `k` above `config.candidates`.
        """
        self._check(k)
        known = [n for n, item_id in enumerate(item_ids) if item_id in self._catalogue.slots]
        slots_N = self._catalogue.find(item_ids)
        pending = [(known[tile], self._neighbours(slots_N[tile])) for tile in tiles(len(known), _NEIGHBOURS)]
        return self._collect(pending, len(item_ids), k)

    def _because(
        self, histories: Sequence[Sequence[Interaction]], item_ids: Sequence[Sequence[str]]
    ) -> list[list[Interaction | None]]:
        """For each item, the last event on the history item without which its score falls most.

        Exact: the history is encoded and scored again without that item.
        """
        asked = [
            (n, omitted) for n, history in enumerate(histories) for omitted in (None, *reasons.last_items(history))
        ]
        variants = [reasons.without(histories[n], omitted) for n, omitted in asked]
        known = self._catalogue.slots
        slots = [[known.get(item_id, NOTHING) for item_id in ids[:MOST_EXPLAINED]] for ids in item_ids]
        scores_VxK = np.zeros((len(variants), MOST_EXPLAINED), np.float32)
        pending = []
        for rows, length, _ in self._batches(variants, [0] * len(variants)):
            users = self._encode([variants[v] for v in rows], length)
            pending.append((rows, self._scores(users, [slots[asked[v][0]] for v in rows])))
        for rows, scores_BxK in pending:
            scores_VxK[rows] = np.asarray(scores_BxK)[: len(rows)]
        return reasons.select(histories, asked, scores_VxK, [len(row) for row in slots])

    def _found(
        self,
        requests: Sequence[RankRequest],
        histories: Sequence[Sequence[Interaction]],
        search_in: Callable[[Encoded, Sequence[list[int]], int], Found],
    ) -> list[tuple[list[int], Found]]:
        """The results of the search, tile by tile: the numbers of the requests, their scores and slots."""
        excluded = [sorted(self._catalogue.find(set(request.excluded)).tolist()) for request in requests]
        widths = [bucket_of(len(slots), host.widths(self.capacity)) for slots in excluded]
        pending = []
        for rows, length, width in self._batches(histories, widths):
            users = self._encode([histories[n] for n in rows], length)
            pending.append((rows, search_in(users, [excluded[n] for n in rows], width)))
        return pending

    def _batches(
        self, histories: Sequence[Sequence[Interaction]], widths: Sequence[int]
    ) -> Iterator[tuple[list[int], int, int]]:
        """Tiles of requests that share both shapes: their numbers, the length, the width."""
        groups: dict[tuple[int, int], list[int]] = {}
        for n, (history, width) in enumerate(zip(histories, widths, strict=True)):
            groups.setdefault((bucket_of(len(history), host.lengths(self.config.history)), width), []).append(n)
        for (length, width), members in groups.items():
            for tile in tiles(len(members), self._tile):
                yield members[tile], length, width

    def _check(self, k: int) -> None:
        if not 0 < k <= self.config.candidates:
            raise ConfigError(f"k is {k}; this model ranks 1..{self.config.candidates} (option `candidates`)")

    def _known(self, history: Sequence[Interaction]) -> list[Interaction]:
        return host.known(history, self._catalogue.slots, self._kinds, self.config)

    def _encode(self, histories: Sequence[Sequence[Interaction]], length: int) -> Encoded:
        self.encodings += len(histories)
        shape = {"rows": self._tile, "width": length + 1, "capacity": self.capacity}
        arrays = host.event_arrays(histories, self._catalogue.slots, self._kinds, **shape)
        return self._programs.encode(self._params, self._matrix.rows, *arrays, np.int32(len(histories)))

    def _search(self, encoded: Encoded, excluded: Sequence[list[int]], width: int) -> Found:
        excluded_BxX = pad_lists(excluded, rows=self._tile, width=width, fill=self.capacity, dtype=np.int32)
        users, recent = encoded
        return self._programs.search(
            self._blend,
            self._tables.tables,
            users,
            recent,
            self._matrix.rows,
            self._matrix.columns,
            self._faded,
            self._open,
            self._categories,
            excluded_BxX,
            np.int32(len(excluded)),
        )

    def _likeliest(self, encoded: Encoded, excluded: Sequence[list[int]], width: int) -> Found:
        excluded_BxX = pad_lists(excluded, rows=self._tile, width=width, fill=self.capacity, dtype=np.int32)
        users, recent = encoded
        return self._programs.most_probable(
            self._blend, self._tables.tables, users, recent, self._matrix.rows, self._faded, self._open, excluded_BxX
        )

    def _scores(self, encoded: Encoded, slots: Sequence[list[int]]) -> jax.Array:
        slots_BxK = pad_lists(slots, rows=self._tile, width=MOST_EXPLAINED, fill=NOTHING, dtype=np.int32)
        users, recent = encoded
        return self._programs.scores(
            self._blend,
            self._tables.tables,
            users,
            recent,
            self._matrix.rows,
            self._faded,
            slots_BxK,
            np.int32(len(slots)),
        )

    def _neighbours(self, slots_N: np.ndarray) -> Found:
        return self._programs.neighbours(self._matrix.rows, self._open, pad_rows(slots_N, _NEIGHBOURS, self.capacity))

    def _collect(self, pending: list[tuple[list[int], Found]], answers: int, k: int) -> list[Ranked]:
        ranked = [Ranked([], []) for _ in range(answers)]
        for rows, found in pending:
            scores_BxK, slots_BxK = map(np.asarray, found)
            for row, scores_K, slots_K in zip(rows, scores_BxK, slots_BxK, strict=False):
                ranked[row] = host.best(scores_K, self._catalogue.ids_C[slots_K], k)
        return ranked

    def _place(self, items: Sequence[Item]) -> np.ndarray:
        before = self.capacity
        slots_N = self._catalogue.place([item.item_id for item in items])
        if self._catalogue.reused:
            self._tables.clear(np.array(self._catalogue.reused, np.int32))
            self._catalogue.reused.clear()
        trained_N = np.array([self._rows.get(item.item_id, 0) - 1 for item in items], np.int32)
        self._tables.place(trained_N, slots_N, self.capacity)
        self._catalogue.open_C[slots_N] = [item.available for item in items]
        self._catalogue.categories_C[slots_N] = item_features.categories(items, self.config)
        self._catalogue.faded_C[slots_N] = self._faded_T[trained_N]  # -1 is the last row, which is 0
        self._publish()
        if self.capacity != before:
            self._matrix.place(pad_rows(np.asarray(self._matrix.rows), self.capacity), by_columns=not self._scans)
            if self._warm:
                self.warm()
        return slots_N

    def _publish(self) -> None:
        self._open = matrix.on_device(self._catalogue.open_C)
        self._categories = matrix.on_device(self._catalogue.categories_C)
        self._faded = matrix.on_device(self._catalogue.faded_C)
