"""The lexical index of the catalogue, updated item by item: postings, words, compounds and titles."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int8, Int32, UInt16, UInt32

from model.search.config import SearchConfig
from model.search.index import document
from model.search.index.column import Column
from model.search.index.document import Document
from model.search.index.postings import Postings
from model.search.index.vocabulary import Vocabulary
from model.search.learning import associations
from model.text import analyser, trigrams

TITLE = 24
"""Most main terms of a title that are kept in order, for features of whole phrases."""

LETTERS = 96
"""Most distinct trigrams of a title that are kept."""

PADDING = -1


class Lexicon:
    """The words of the items, by slot. The cost of `add` and `remove` depends only on the item's words."""

    def __init__(self, config: SearchConfig) -> None:
        self.config = config
        self.postings = Postings()
        self.vocabulary = Vocabulary()
        self._spellings: dict[str, Counter[tuple[str, str]]] = {}
        self._compounds: dict[str, Counter[tuple[str, str]]] = {}
        self._average: tuple[float, ...] = document.TYPICAL_LENGTHS
        self._open = Column(np.bool_)
        self._title = Column(np.int32, width=TITLE, fill=PADDING)
        self._hashed = Column(np.uint32, width=TITLE)
        self._letters = Column(np.uint16, width=LETTERS)
        self.letters_L = np.zeros(trigrams.BUCKETS + 1, np.int32)  # how many open items' titles contain each trigram
        self._numbers = Column(np.int8)
        self._head = Column(np.int8)
        self._noun = Column(np.int8, fill=PADDING)
        self._slots = 0
        self.open = 0

    def build(self, documents: Sequence[Document]) -> None:
        """Set slots 0, 1, … at once. Only for a new lexicon; the average lengths of fields are taken from these."""
        lengths_NxF = np.array([d.lengths for d in documents], np.float64).reshape(len(documents), -1)
        if len(documents):
            used_NxF = np.where(lengths_NxF > 0, lengths_NxF, np.nan)
            mean_F = [np.nanmean(used_N) if np.isfinite(used_N).any() else 1.0 for used_N in used_NxF.T]
            self._average = tuple(float(mean) for mean in mean_F)
        rows = [self._row(d) for d in documents]
        self.postings.build(rows)
        for slot, each in enumerate(documents):
            self._note(slot, each)

    def add(self, slot: int, new: Document) -> None:
        """Add the next slot."""
        self.postings.add(slot, self._row(new))
        self._note(slot, new)

    def remove(self, slot: int, old: Document) -> None:
        """Remove a closed slot's words from the counts; pass the document that was added, which is not kept."""
        self.postings.close({self.postings.ids[term.term] for terms in old.fields for term in terms})
        self.vocabulary.remove(old.words)
        for a, b in old.pairs:
            self._compounds[a + b][a, b] -= 1
        for word, spelled in old.spellings:
            self._spellings[analyser.stem(word)][word, spelled] -= 1
        self._open.set(slot, False)
        self._letters_of(slot, -1)
        self.open -= 1

    def inverse_frequency(self, term: int) -> float:
        """log(1 + (N - n + .5) / (n + .5)) of a term in n of the N open items (Robertson and Zaragoza 2009)."""
        holding = self.postings.frequency(term)
        return math.log1p((self.open - holding + 0.5) / (holding + 0.5))

    def inverse_frequencies(self, terms_V: Int32[np.ndarray, " V"]) -> Float64[np.ndarray, " V"]:
        """The same of many terms; 0 for `PADDING`."""
        holding_V = self.postings.frequencies_V[np.maximum(terms_V, 0)]
        return np.where(terms_V == PADDING, 0.0, np.log1p((self.open - holding_V + 0.5) / (holding_V + 0.5)))

    def parts(self, word: str) -> tuple[str, str] | None:
        """The two words of a compound, if titles have them side by side: "rainbird", "rain bird"."""
        pairs = self._compounds.get(word)
        if not pairs:
            return None
        (pair, count), *_ = pairs.most_common(1)
        return pair if count > 0 else None

    def spelled(self, word: str) -> str:
        """A folded word as most items that hold it spell it."""
        every = self._spellings.get(analyser.stem(word), {}).items()
        counts = [(count, spelled) for (folded, spelled), count in every if folded == word]
        count, spelled = max(counts, default=(0, word))
        return spelled if 2 * count >= self.vocabulary.frequency(word) else word

    def spellings(self, stem: str) -> list[int]:
        """The terms of the spellings that items have for words of this stem, of those that folding changes."""
        every = self._spellings.get(stem, {}).items()
        return [self.postings.ids[spelled] for (_, spelled), count in every if count > 0]

    def held(self, term: str) -> int | None:
        """The id of a term, if an item holds it."""
        found = self.postings.ids.get(term)
        return found if found is not None and self.postings.frequency(found) else None

    def stem_id(self, word: str) -> int | None:
        """The term of a written word, if an item holds it."""
        return self.held(analyser.stem(word))

    @property
    def slots(self) -> int:
        """The number of slots, including closed ones."""
        return self._slots

    @property
    def open_N(self) -> Bool[np.ndarray, " N"]:
        """Which slots are not closed."""
        return self._open.first(self._slots)

    @property
    def title_NxT(self) -> Int32[np.ndarray, "N T"]:
        """The ids of each title's main terms in order, followed by `PADDING`."""
        return self._title.first(self._slots)

    @property
    def head_N(self) -> Int8[np.ndarray, " N"]:
        """How many of a title's main terms say what the product is."""
        return self._head.first(self._slots)

    @property
    def noun_N(self) -> Int8[np.ndarray, " N"]:
        """The index among a title's main terms of the last word of its head; `PADDING` for none."""
        return self._noun.first(self._slots)

    @property
    def hashed_NxT(self) -> UInt32[np.ndarray, "N T"]:
        """Each title's distinct main terms, hashed by `associations`, followed by 0."""
        return self._hashed.first(self._slots)

    @property
    def letters_NxL(self) -> UInt16[np.ndarray, "N L"]:
        """Each title's distinct hashed trigrams, followed by 0."""
        return self._letters.first(self._slots)

    def letter_rarity(self, letters: Sequence[int]) -> Float32[np.ndarray, " G"]:
        """log((N + 1) / (n + 1)) of trigrams in n of the N open items."""
        return np.log((self.open + 1) / (self.letters_L[np.array(letters, int)] + 1)).astype(np.float32)

    @property
    def numbers_N(self) -> Int8[np.ndarray, " N"]:
        """How many numbers each title has."""
        return self._numbers.first(self._slots)

    def _letters_of(self, slot: int, change: int) -> None:
        letters_L = self._letters.first(slot + 1)[slot]
        self.letters_L[letters_L[letters_L > 0]] += change

    def _row(self, new: Document) -> dict[int, float]:
        weights = document.frequencies(new, self._average, self.config)
        return {self.postings.intern(term): weight for term, weight in weights.items()}

    def _note(self, slot: int, new: Document) -> None:
        self._slots = slot + 1
        self.vocabulary.add(new.words)
        for a, b in new.pairs:
            self._compounds.setdefault(a + b, Counter())[a, b] += 1
        for word, spelled in new.spellings:
            self._spellings.setdefault(analyser.stem(word), Counter())[word, spelled] += 1
        title = new.title[:TITLE]
        row_T = np.full(TITLE, PADDING, np.int32)
        row_T[: len(title)] = [self.postings.ids[term.term] for term in title]
        letters = new.letters[:LETTERS]
        row_L = np.zeros(LETTERS, np.uint16)
        row_L[: len(letters)] = letters
        self._letters.set(slot, row_L)
        self._letters_of(slot, 1)
        self._open.set(slot, True)
        hashed_T = np.zeros(TITLE, np.uint32)
        hashed = associations.hashed(term.term for term in title)
        hashed_T[: len(hashed)] = hashed
        self._hashed.set(slot, hashed_T)
        self._title.set(slot, row_T)
        self._numbers.set(slot, sum(term.kind == analyser.NUMBER for term in title))
        self._head.set(slot, sum(term.place < new.head for term in title))
        at = [index for index, term in enumerate(title) if term.place == new.noun]
        self._noun.set(slot, at[0] if at else PADDING)
        self.open += 1
