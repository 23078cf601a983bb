"""Completions of what is being typed, from past queries and from the catalogue."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Iterable

from model.text import normalise

_MOST = 20_000
"""Phrases with one beginning that are looked at: more say too little to choose from."""


class Suggestions:
    """Phrases with weights, by their beginnings. Adding one costs its place in a sorted list."""

    def __init__(self) -> None:
        self._keys: list[str] = []
        self._weights: dict[str, float] = {}
        self._shown: dict[str, str] = {}

    def add(self, phrase: str, weight: float = 1.0) -> None:
        """Give a phrase more weight, a new one its place. Case, width and traditional characters do not matter."""
        key = _key(phrase)
        if not key:
            return
        if key not in self._weights:
            bisect.insort(self._keys, key)
            self._weights[key] = 0.0
            self._shown[key] = " ".join(phrase.split())
        self._weights[key] += weight

    def extend(self, phrases: Iterable[str], weight: float = 1.0) -> None:
        """Give many phrases the same weight more; faster than one by one."""
        for phrase in phrases:
            key = _key(phrase)
            if key:
                self._shown.setdefault(key, " ".join(phrase.split()))
                self._weights[key] = self._weights.get(key, 0.0) + weight
        self._keys = sorted(self._weights)

    def remove(self, phrase: str, weight: float = 1.0) -> None:
        """Take weight from a phrase, and the phrase itself once nothing is left."""
        key = _key(phrase)
        if key not in self._weights:
            return
        self._weights[key] -= weight
        if self._weights[key] <= 0:
            del self._weights[key], self._shown[key]
            del self._keys[bisect.bisect_left(self._keys, key)]

    def of(self, typed: str, k: int = 10) -> list[str]:
        """The `k` phrases of most weight that begin with what is typed, heaviest first, then by alphabet.

        Where fewer than `k` do, those follow that begin with its last word, behind the words before it.
        """
        key = normalise.clean(typed).lstrip()
        found = self._starting(key, k)
        before, space, last = key.rpartition(" ")
        if len(found) < k and space and last:
            ends = (f"{before.strip()} {phrase}" for phrase in self._starting(last, k))
            found += [phrase for phrase in ends if phrase not in found]
        return found[:k]

    def _starting(self, key: str, k: int) -> list[str]:
        if not key.strip():
            return []
        first = bisect.bisect_left(self._keys, key)
        last = bisect.bisect_left(self._keys, key + "\U0010ffff", lo=first)
        keys = self._keys[first : min(last, first + _MOST)]
        best = heapq.nsmallest(k, keys, key=lambda found: (-self._weights[found], found))
        return [self._shown[found] for found in best]


def _key(phrase: str) -> str:
    return " ".join(normalise.clean(phrase).split())
