"""Search over one catalogue in memory: items come and go, and a query gets its page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np
from jaxtyping import Bool, Float32, Int

from model.catalogue import Item
from model.search.config import SearchConfig
from model.search.index import document, filters, lexical, query
from model.search.index.collection import Collection
from model.search.index.column import Column
from model.search.index.filters import Filters
from model.search.index.lexicon import Lexicon
from model.search.index.query import Query
from model.search.learning import contrastive
from model.search.learning.associations import Associations
from model.search.learning.encoder import TextVectors
from model.search.ranking import features
from model.search.ranking.features import Affinity, Asked, Shelf
from model.text.synonyms import Synonyms

MATCHED, ALIKE, POPULAR = "matched", "alike", "popular"
"""The source of a page: items that contain a query term; if there are none, those nearest in meaning, or popular."""

SORTS = ("relevance", "price", "-price", "newest", "popular")


EVERYTHING = Filters()
"""All available items."""

_UNKNOWN: Mapping[str, float] = MappingProxyType({})


class Ranker(Protocol):
    """Anything that scores candidates by their features."""

    def score(self, features_KxF: Float32[np.ndarray, "K F"]) -> Float32[np.ndarray, " K"]:
        """One score per candidate, greater is better."""
        ...


class Found(NamedTuple):
    """A page of `total` items: slots, best first, with their scores (NaN if there is none), and its source.

    `asked` is the query as understood and matched, for explanations (`model.search.ranking.explain`).
    """

    slots_K: Int[np.ndarray, " K"]
    scores_K: Float32[np.ndarray, " K"]
    total: int
    facets: dict[str, dict[str, int]]
    source: str
    query: Query
    asked: Asked


@dataclass(frozen=True)
class Parts:
    """The parts of an engine other than the items. `published` is a published encoder."""

    config: SearchConfig
    synonyms: Synonyms = Synonyms()
    encoder: TextVectors | None = None
    published: TextVectors | None = None
    ranker: Ranker | None = None
    associations: Associations | None = None


class Engine:
    """Items and everything derived from them. One writer at a time; readers must not overlap with it."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.collection = Collection()
        self.lexicon = Lexicon(parts.config)
        self._vectors = [None if e is None else Column(np.float32, width=e.dim) for e in self._encoders]

    def build(
        self,
        items: Sequence[Item],
        *,
        popularity: Mapping[str, float] = _UNKNOWN,
        announced: Mapping[str, float] = _UNKNOWN,
    ) -> None:
        """Fill a new engine at once. `popularity` and `announced`, in unix seconds, are by item id."""
        for item in items:
            self._stock(item, popularity, announced)
        self.lexicon.build([document.read(item) for item in items])
        self._embed(range(len(items)), items)

    def put(
        self,
        items: Sequence[Item],
        *,
        popularity: Mapping[str, float] = _UNKNOWN,
        announced: Mapping[str, float] = _UNKNOWN,
    ) -> None:
        """Add items, or replace those with the same id; the other arguments are those of `build`."""
        slots = []
        for item in items:
            old = self.collection.slot(item.item_id)
            if old is not None:
                self.lexicon.remove(old, document.read(self.collection.items[old]))
            slots.append(self._stock(item, popularity, announced))
            self.lexicon.add(slots[-1], document.read(item))
        self._embed(slots, items)

    def remove(self, item_ids: Iterable[str]) -> None:
        """Remove items; unknown ids are ignored."""
        for item_id in item_ids:
            slot = self.collection.remove(item_id)
            if slot is not None:
                self.lexicon.remove(slot, document.read(self.collection.items[slot]))

    def find(
        self,
        text: str,
        *,
        k: int = 20,
        start: int = 0,
        wanted: Filters = EVERYTHING,
        sort: str = "relevance",
        affinity: Affinity | None = None,
        now: float | None = None,
    ) -> Found:
        """Results `start` .. `start + k` of a query, at most as many as pass `wanted`.

        The order depends only on the query, the items and the arguments, so pages neither repeat nor skip.
        """
        asked, fused_N = self.ask(text, affinity=affinity, now=now)
        passes_N = filters.mask(self.collection, wanted)
        found_N = self._matched(asked) if sort == "relevance" else self._complete(asked, passes_N)
        matched_N = passes_N & found_N
        source = MATCHED
        if not matched_N.any():
            matched_N, found_N = passes_N, self.collection.open_N
            source = ALIKE if asked.likeness_N is not None and asked.query.terms else POPULAR
            fused_N = fused_N if source == ALIKE else self.collection.popularity_N
        if sort == "relevance":
            slots_K, scores_K = self._by_relevance(asked, fused_N, matched_N, start + k)
        else:
            slots_K, scores_K = self._sorted(sort, matched_N)
        counted = filters.facets(self.collection, found_N, wanted)
        page = slice(start, start + k)
        return Found(slots_K[page], scores_K[page], int(matched_N.sum()), counted, source, asked.query, asked)

    def ask(
        self,
        text: str,
        *,
        affinity: Affinity | None = None,
        now: float | None = None,
    ) -> tuple[Asked, Float32[np.ndarray, " N"]]:
        """The understood query, and every slot's lexical score relative to the best plus its weighted cosine."""
        understood = self.understand(text)
        match = lexical.match(understood, self.lexicon)
        likeness_N, other_N = (self._cosines(which, understood.meant or text) for which in range(2))
        best = float(match.score_N.max(initial=0.0, where=self.collection.open_N))
        fused_N = match.score_N / np.float32(best) if best > 0 else match.score_N
        for cosine_N in (likeness_N, other_N):
            if cosine_N is not None:
                fused_N = fused_N + np.float32(self.parts.config.likeness_weight) * cosine_N
        return Asked(understood, match, likeness_N, other_N, affinity, now), fused_N

    def candidates(
        self, asked: Asked, fused_N: Float32[np.ndarray, " N"], open_N: Bool[np.ndarray, " N"]
    ) -> Int[np.ndarray, " K"]:
        """The slots that a ranker sorts: the best by lexical score plus cosine, and by each cosine."""
        config = self.parts.config
        chosen = [self._best(asked, fused_N, open_N)]
        chosen += [
            lexical.best(cosine_N, config.likest, open_N)
            for cosine_N in (asked.likeness_N, asked.other_N)
            if cosine_N is not None
        ]
        return np.unique(np.concatenate(chosen))

    def _best(
        self, asked: Asked, fused_N: Float32[np.ndarray, " N"], open_N: Bool[np.ndarray, " N"]
    ) -> Int[np.ndarray, " K"]:
        """The best by lexical score and cosine together, and the item that the query names."""
        best_K = lexical.best(fused_N, self.parts.config.candidates, open_N)
        if asked.query.named is None:
            return best_K
        named, _ = self.lexicon.postings.lookup(asked.query.named)
        return np.concatenate([best_K, np.setdiff1d(named[open_N[named]], best_K)])

    def taught(self, encoder: TextVectors | None, associations: Associations) -> Engine:
        """An engine that learnt more, over the same items; the two share everything else, so write to neither."""
        other = self.over(replace(self.parts, encoder=encoder, associations=associations))
        other._vectors[1] = self._vectors[1]
        if encoder is not None and (column := other._vectors[0]) is not None:
            items = self.collection.items
            for slot, vector_D in enumerate(encoder.encode(contrastive.texts(items))):
                column.set(slot, vector_D)
        return other

    def over(self, parts: Parts, vectors_NxD: Float32[np.ndarray, "N D"] | None = None) -> Engine:
        """An engine with other parts over the same items, to replace this one.

        `vectors_NxD` are the vectors of the first slots by the encoder of `parts`; it embeds the others now.
        """
        other = Engine(parts)
        other.collection, other.lexicon = self.collection, self.lexicon
        if vectors_NxD is not None and (column := other._vectors[0]) is not None:
            column.fill(vectors_NxD)
            done = len(vectors_NxD)
            other._embed(range(done, len(self.collection.items)), self.collection.items[done:])
        return other

    def understand(self, text: str) -> Query:
        """The parsed query, with corrections and alternatives from the catalogue."""
        return query.understand(text, self.lexicon, self.parts.synonyms)

    def shelf(self) -> Shelf:
        """The data that features read."""
        vectors = self._vectors[0]
        vectors_NxD = None if vectors is None else vectors.first(self.lexicon.slots)
        return Shelf(self.collection, self.lexicon, vectors_NxD, self.parts.associations)

    def ranked(self, text: str, k: int) -> Int[np.ndarray, " K"]:
        """The best `k` slots of all, including those without any term of the query: for evaluation."""
        asked, fused_N = self.ask(text)
        return self._by_relevance(asked, fused_N, self.collection.open_N, k)[0][:k]

    def _matched(self, asked: Asked) -> Bool[np.ndarray, " N"]:
        """Which slots are results: they contain a term of the query, or are near it in meaning."""
        found_N = asked.match.score_N > 0
        for cosine_N in (asked.likeness_N, asked.other_N):
            if cosine_N is not None:
                found_N = found_N | (cosine_N >= self.parts.config.least_likeness)
        return found_N

    def _complete(self, asked: Asked, passes_N: Bool[np.ndarray, " N"]) -> Bool[np.ndarray, " N"]:
        """Which slots contain as much of the query as any that passes: when sorting by price, others are no results."""
        coverage_N = asked.match.coverage_N
        most = float(coverage_N.max(initial=0.0, where=passes_N))
        return (asked.match.score_N > 0) & (coverage_N >= np.float32(most - 1e-3))

    def _by_relevance(
        self, asked: Asked, fused_N: Float32[np.ndarray, " N"], open_N: Bool[np.ndarray, " N"], need: int
    ) -> tuple[Int[np.ndarray, " K"], Float32[np.ndarray, " K"]]:
        """At least the best `need` of the open slots: candidates in the ranker's order, followed by the others."""
        config = self.parts.config
        if self.parts.ranker is None:
            first = self._best(asked, fused_N, open_N)
            scores_K = fused_N[first]
            scores_K += config.letters_weight * features.letters(asked.query.text, first, self.lexicon)
        else:
            first = self.candidates(asked, fused_N, open_N)
            if not len(first):
                return first, np.zeros(0, np.float32)
            scores_K = self.parts.ranker.score(features.compute(asked, first, self.shelf()))
        scores_K = scores_K + self._liked(asked, first, scores_K)
        scores_K = scores_K + self._named(asked, first, scores_K)
        order_K = np.argsort(-scores_K, kind="stable")
        rest_N = open_N.copy()
        rest_N[first] = False
        rest = lexical.best(fused_N, max(need - len(first), 0), rest_N)
        missing = np.full(len(rest), np.nan, np.float32)
        return np.concatenate([first[order_K], rest]), np.concatenate([scores_K[order_K], missing])

    def _named(
        self, asked: Asked, slots_K: Int[np.ndarray, " K"], scores_K: Float32[np.ndarray, " K"]
    ) -> Float32[np.ndarray, " K"]:
        """What lifts the item whose id or SKU the query is above all others, whoever orders them."""
        if asked.query.named is None or not len(slots_K):
            return np.zeros(len(slots_K), np.float32)
        is_named_K = np.isin(slots_K, self.lexicon.postings.lookup(asked.query.named)[0])
        return np.float32(np.ptp(scores_K) + 1.0) * is_named_K

    def _liked(
        self, asked: Asked, slots_K: Int[np.ndarray, " K"], scores_K: Float32[np.ndarray, " K"]
    ) -> Float32[np.ndarray, " K"]:
        """What popularity and the shopper's taste add to the scores, which have their own scale with a ranker."""
        config, popularity_N = self.parts.config, self.collection.popularity_N
        liked_K = np.zeros(len(slots_K), np.float32)
        most = float(popularity_N.max(initial=0.0))
        if most > 0:
            share_K = np.log1p(np.maximum(popularity_N[slots_K], 0)) / np.log1p(most)
            liked_K += np.float32(config.popularity_weight) * share_K
        if asked.affinity is not None:
            liked_K += np.float32(config.affinity_weight) * asked.affinity(slots_K)
        return liked_K if self.parts.ranker is None else liked_K * scores_K.std()

    def _sorted(
        self, sort: str, open_N: Bool[np.ndarray, " N"]
    ) -> tuple[Int[np.ndarray, " K"], Float32[np.ndarray, " K"]]:
        keys = {
            "price": np.nan_to_num(self.collection.price_N, nan=np.inf),
            "-price": -np.nan_to_num(self.collection.price_N, nan=-np.inf),
            "newest": -np.nan_to_num(self.collection.announced_N, nan=-np.inf),
            "popular": -self.collection.popularity_N,
        }
        if sort not in keys:
            raise ValueError(f"sort {sort!r} must be one of {', '.join(SORTS)}")
        slots = np.flatnonzero(open_N)
        slots = slots[np.argsort(keys[sort][slots], kind="stable")]
        return slots, np.full(len(slots), np.nan, np.float32)

    @property
    def _encoders(self) -> tuple[TextVectors | None, TextVectors | None]:
        return self.parts.encoder, self.parts.published

    def _stock(self, item: Item, popularity: Mapping[str, float], announced: Mapping[str, float]) -> int:
        item_id = item.item_id
        return self.collection.put(item, popularity=popularity.get(item_id, 0.0), announced=announced.get(item_id))

    def _embed(self, slots: Iterable[int], items: Sequence[Item]) -> None:
        for encoder, vectors in zip(self._encoders, self._vectors, strict=True):
            if encoder is not None and vectors is not None and items:
                for slot, vector_D in zip(slots, encoder.encode(contrastive.texts(items)), strict=True):
                    vectors.set(slot, vector_D)

    def _cosines(self, which: int, text: str) -> Float32[np.ndarray, " N"] | None:
        encoder, vectors = self._encoders[which], self._vectors[which]
        if encoder is None or vectors is None:
            return None
        return vectors.first(self.lexicon.slots) @ encoder.encode([text], role="query")[0]
