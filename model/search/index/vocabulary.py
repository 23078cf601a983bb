"""The written words of the catalogue, and which of them a misspelt word may be."""

from __future__ import annotations

import bisect
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import OSA

_SHORTLIST = 120
_SPARE = re.compile("[\u0590-\u1cff]")  # from Hebrew and Arabic to the scripts of India and beyond
_ABSENT = np.zeros(0, np.int32)


class Candidate(NamedTuple):
    """A word of the catalogue, its edit distance, and how many items contain it."""

    word: str
    edits: int
    frequency: int


class Vocabulary:
    """Words with the number of items that contain each, found by the pairs of letters they share with another word.

    Words are added one by one and stay; one that no item contains any more has frequency 0 and is no candidate.
    """

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._words: list[str] = []
        self._sorted: list[str] = []
        self._reversed: list[str] = []
        self._counts: list[int] = []
        self._pairs: dict[str, list[int]] = {}
        self._frozen: dict[str, np.ndarray] = {}
        self._sizes: list[int] = []

    def add(self, words: Iterable[str]) -> None:
        """Count one more item for each of the distinct words."""
        for word in words:
            found = self._ids.setdefault(word, len(self._words))
            if found == len(self._words):
                self._words.append(word)
                bisect.insort(self._sorted, word)
                bisect.insort(self._reversed, word[::-1])
                self._counts.append(0)
                pairs = _pairs(word)
                self._sizes.append(len(pairs))
                for pair in pairs:
                    self._pairs.setdefault(pair, []).append(found)
                    self._frozen.pop(pair, None)
            self._counts[found] += 1

    def remove(self, words: Iterable[str]) -> None:
        """Count one item less for each of the words."""
        for word in words:
            self._counts[self._ids[word]] -= 1

    def frequency(self, word: str) -> int:
        """How many items contain the word, as written."""
        found = self._ids.get(word)
        return 0 if found is None else self._counts[found]

    def near(self, word: str, *, edits: int | None = None) -> list[Candidate]:
        """The catalogue's other words within `edits` of `word`, the nearest, then the most frequent, first.

        An edit inserts, deletes or replaces a letter or swaps two neighbours (optimal string alignment). Without
        `edits`, words of up to 3 letters have none, up to 6 one, longer ones two. The shortlist is by shared pairs of
        letters (Zobel and Dart 1995, "Finding approximate matches in large lexicons").
        """
        allowed = _allowed(word) if edits is None else edits
        if not allowed or not self._words:
            return []
        found = [
            Candidate(self._words[other], distance, self._counts[other])
            for other in self._shortlist(word, allowed)
            if self._counts[other] > 0
            and (distance := OSA.distance(word, self._words[other], score_cutoff=allowed)) <= allowed
            and distance
        ]
        return sorted(found, key=lambda candidate: (candidate.edits, -candidate.frequency, candidate.word))

    def starting(self, prefix: str) -> list[tuple[str, int]]:
        """The words that begin with `prefix`, and how many items hold each."""
        return [(word, count) for word in _starting(self._sorted, prefix) if (count := self.frequency(word)) > 0]

    def ending(self, suffix: str) -> list[tuple[str, int]]:
        """The words that end in `suffix`, and how many items hold each."""
        found = (word[::-1] for word in _starting(self._reversed, suffix[::-1]))
        return [(word, count) for word in found if (count := self.frequency(word)) > 0]

    def _shortlist(self, word: str, allowed: int) -> list[int]:
        pairs = _pairs(word)
        lists = [ids for pair in pairs if len(ids := self._of(pair))]
        if not lists:
            return []
        others, shared = np.unique(np.concatenate(lists), return_counts=True)
        # One edit changes at most three pairs: a swap does.
        enough = shared >= max(1, len(pairs) - 3 * allowed)
        others, shared = others[enough], shared[enough]
        sizes = np.array([self._sizes[other] for other in others])
        likeness = shared / (len(pairs) + sizes - shared)
        best = np.argsort(-likeness, kind="stable")[:_SHORTLIST]
        return [int(other) for other in others[best]]

    def _of(self, pair: str) -> np.ndarray:
        if pair not in self._frozen:
            ids = self._pairs.get(pair)
            self._frozen[pair] = _ABSENT if ids is None else np.array(ids, np.int32)
        return self._frozen[pair]


def _starting(words: list[str], prefix: str) -> Iterator[str]:
    start = bisect.bisect_left(words, prefix)
    return itertools.takewhile(lambda word: word.startswith(prefix), itertools.islice(words, start, None))


def _pairs(word: str) -> set[str]:
    padded = f"^{word}$"
    return {padded[i : i + 2] for i in range(len(padded) - 1)}


def _allowed(word: str) -> int:
    """How many edits a word may have. Scripts that leave vowels out, or hang them on, say more with each letter."""
    if _SPARE.search(word):
        letters = sum(not unicodedata.combining(letter) and letter.isalpha() for letter in word)
        return 0 if letters <= 3 else 1 if letters <= 7 else 2
    return 0 if len(word) <= 3 else 1 if len(word) <= 6 else 2
