"""The inverted index: which items contain a term, with weights. Items are added, changed and removed one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float32, Int32

from model.search.index.column import Column

_NONE = np.zeros(0, np.int32)
_NOTHING = np.zeros(0, np.float32)


class Postings:
    """For each term its items' slots and weights, in arrays that grow by doubling.

    A slot is written once: a changed item gets a new one, and readers leave out closed slots. Adding an item costs a
    short write per term, whatever the size of the index.
    """

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.terms: list[str] = []
        self._slots: list[np.ndarray] = []
        self._weights: list[np.ndarray] = []
        self._sizes: list[int] = []
        self._open = Column(np.int32)

    def intern(self, term: str) -> int:
        """The term's dense id, a new one for a new term."""
        found = self.ids.setdefault(term, len(self.terms))
        if found == len(self.terms):
            self.terms.append(term)
            self._slots.append(_NONE)
            self._weights.append(_NOTHING)
            self._sizes.append(0)
            self._open.set(found, 0)
        return found

    def build(self, rows: Sequence[dict[int, float]]) -> None:
        """Set the whole index: `rows[slot]` maps a term's id to its weight. Replaces what was there."""
        terms_P = np.fromiter((term for row in rows for term in row), np.int64)
        weights_P = np.fromiter((weight for row in rows for weight in row.values()), np.float32)
        slots_P = np.repeat(np.arange(len(rows), dtype=np.int32), [len(row) for row in rows])
        order_P = np.argsort(terms_P, kind="stable")
        ends_V = np.cumsum(np.bincount(terms_P, minlength=len(self.terms)))[:-1]
        self._slots = np.split(slots_P[order_P], ends_V)
        self._weights = np.split(weights_P[order_P], ends_V)
        self._sizes = [len(slots) for slots in self._slots]
        for term, size in enumerate(self._sizes):
            self._open.set(term, size)

    def add(self, slot: int, row: dict[int, float]) -> None:
        """Add the terms of one slot, which must be greater than all slots added before."""
        for term, weight in row.items():
            size = self._sizes[term]
            if size == len(self._slots[term]):
                room = max(4, size)
                self._slots[term] = np.concatenate([self._slots[term], np.zeros(room, np.int32)])
                self._weights[term] = np.concatenate([self._weights[term], np.zeros(room, np.float32)])
            self._slots[term][size] = slot
            self._weights[term][size] = weight
            self._sizes[term] = size + 1
            self._open.change(term, 1)

    def close(self, terms: Iterable[int]) -> None:
        """Count one item less for each of the terms; the entries of the closed slot stay."""
        for term in terms:
            self._open.change(term, -1)

    def lookup(self, term: int) -> tuple[Int32[np.ndarray, " P"], Float32[np.ndarray, " P"]]:
        """The slots that contain the term, ascending, including closed ones, and its weight in each."""
        size = self._sizes[term]
        return self._slots[term][:size], self._weights[term][:size]

    def frequency(self, term: int) -> int:
        """How many open items hold the term."""
        return int(self._open.at(term))

    @property
    def frequencies_V(self) -> Int32[np.ndarray, " V"]:
        """How many open items contain each term."""
        return self._open.first(len(self.terms))

    def __len__(self) -> int:
        return len(self.terms)
