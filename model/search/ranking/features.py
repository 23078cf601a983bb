"""The ranker's features of a query and each of its candidates: named numbers, computed from arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from model.search.index import lexical, query
from model.search.index.collection import Collection
from model.search.index.document import MAIN
from model.search.index.lexical import Match
from model.search.index.lexicon import PADDING, Lexicon
from model.search.index.query import EXACT, Clause, Query
from model.search.learning import associations
from model.search.learning.associations import Associations
from model.text import analyser, trigrams

QUERY = (
    "query_clauses",
    "query_unknown",
    "query_rarity",
    "query_numbers",
    "best_score",
    "best_coverage",
    "best_likeness",
    "best_other_likeness",
    "complete",  # log of how many candidates contain the whole query
)
CANDIDATE = (
    "score",
    "score_share",  # of the best candidate's
    "score_rank",
    "coverage",
    "likeness",  # cosine of query and item
    "likeness_gap",  # to the best candidate's
    "likeness_rank",
    "other_likeness",  # the same by a published encoder
    "other_likeness_gap",
    "other_likeness_rank",
    "matched",  # clauses
    "matched_exactly",
    "missed_rarity",  # of the rarest clause that is missing
    "missed_share",
    "title_share",  # of the rarity of the title's words that the query names
    "head_share",
    "noun",  # the query names what the product is
    "noun_is_last",  # by its last word
    "last_in_head",
    "first_place",
    "mean_place",
    "starts",  # the title begins with a word of the query
    "adjacent",  # neighbours of the query that are neighbours in the title
    "ordered",
    "span",
    "tail_share",
    "numbers",
    "measures",
    "sizes",
    "codes",
    "numbers_missed",
    "title_numbers",
    "title_length",
    "head_length",
    "letters",  # of the rarity of the query's trigrams, as it was typed, what the title has
    "likeness_to_best",  # to the mean of the first candidates: pseudo-relevance feedback
    "noun_agreement",  # share of the first candidates with the same noun
    "start_agreement",
)
SIGNALS = ("popularity", "price", "price_to_median", "age", "priced", "available", "affinity")
"""Signals of the shop: log popularity, log price, log price relative to the candidates' median, log of the days since
the item was announced, whether it has a price, whether it is available, and the shopper's affinity."""

NAMES = (*QUERY, *CANDIDATE, *associations.NAMES, *SIGNALS)

_FIRST = 20
"""The first candidates, by score, that feedback is taken from."""


Affinity = Callable[[Int[np.ndarray, " K"]], Float32[np.ndarray, " K"]]
"""How much a shopper likes the items of some slots."""


@dataclass(frozen=True)
class Shelf:
    """The data of the catalogue that features read. `vectors_NxD` are unit vectors, or None without an encoder.

    `associations` are those of judged queries, None without any.
    """

    collection: Collection
    lexicon: Lexicon
    vectors_NxD: Float32[np.ndarray, "N D"] | None
    associations: Associations | None = None


class Asked(NamedTuple):
    """A query, its match, the cosines of every slot, the shopper's affinity and the time.

    `likeness_N` and `other_N` are the cosines by our encoder and by a published one; None without. `affinity` returns
    how much the shopper likes each of some slots; `now` is in unix seconds.
    """

    query: Query
    match: Match
    likeness_N: Float32[np.ndarray, " N"] | None = None
    other_N: Float32[np.ndarray, " N"] | None = None
    affinity: Affinity | None = None
    now: float | None = None


def compute(asked: Asked, slots_K: Int[np.ndarray, " K"], shelf: Shelf) -> Float32[np.ndarray, "K F"]:
    """The features, aligned with `NAMES`, of the candidates `slots_K`, of which there is at least one."""
    columns: dict[str, np.ndarray | float] = {}
    columns |= _scores(asked, slots_K)
    columns |= _likenesses(asked, slots_K)
    columns |= _words(asked, slots_K, shelf)
    columns["letters"] = letters(asked.query.text, slots_K, shelf.lexicon)
    columns |= _told(asked, slots_K, shelf)
    columns |= _feedback(slots_K, columns, shelf)
    columns |= _query(asked, shelf)
    columns |= signals(asked, slots_K, shelf.collection)
    features_KxF = np.empty((len(slots_K), len(NAMES)), np.float32)
    for place, name in enumerate(NAMES):
        features_KxF[:, place] = columns[name]
    return features_KxF


def signals(asked: Asked, slots_K: Int[np.ndarray, " K"], collection: Collection) -> dict[str, np.ndarray]:
    """The features of `SIGNALS`; 0 if not known."""
    price_K = collection.price_N[slots_K]
    priced_K = np.isfinite(price_K)
    log_price_K = np.log1p(np.where(priced_K, np.maximum(price_K, 0), 0))
    median = float(np.median(log_price_K[priced_K])) if priced_K.any() else 0.0
    announced_K = collection.announced_N[slots_K]
    age_K = np.zeros(len(slots_K)) if asked.now is None else np.nan_to_num(asked.now - announced_K, nan=0.0)
    affinity_K = np.zeros(len(slots_K)) if asked.affinity is None else asked.affinity(slots_K)
    return {
        "popularity": np.log1p(np.maximum(collection.popularity_N[slots_K], 0)),
        "price": log_price_K,
        "price_to_median": np.where(priced_K, log_price_K - median, 0),
        "age": np.log1p(np.maximum(age_K, 0) / 86_400),
        "priced": priced_K,
        "available": collection.available_N[slots_K],
        "affinity": affinity_K,
    }


def _scores(asked: Asked, slots_K: Int[np.ndarray, " K"]) -> dict[str, np.ndarray | float]:
    score_K = asked.match.score_N[slots_K]
    best = float(score_K.max())
    coverage_K = asked.match.coverage_N[slots_K]
    return {
        "score": score_K,
        "score_share": score_K / best if best > 0 else score_K,
        "score_rank": _ranks(score_K),
        "coverage": coverage_K,
        "best_score": best,
        "best_coverage": float(coverage_K.max()),
        "complete": float(np.log1p((coverage_K > 0.99).sum())),
    }


def _likenesses(asked: Asked, slots_K: Int[np.ndarray, " K"]) -> dict[str, np.ndarray | float]:
    columns: dict[str, np.ndarray | float] = {}
    for name, cosine_N in (("likeness", asked.likeness_N), ("other_likeness", asked.other_N)):
        likeness_K = np.zeros(len(slots_K), np.float32) if cosine_N is None else cosine_N[slots_K]
        columns |= {
            name: likeness_K,
            f"{name}_gap": likeness_K - likeness_K.max(),
            f"{name}_rank": _ranks(likeness_K),
            f"best_{name}": float(likeness_K.max()),
        }
    return columns


class _Grid(NamedTuple):
    """Where each main clause is in the candidates' titles, and the words' rarity; padding has none."""

    found_JxKxT: Bool[np.ndarray, "J K T"]
    rarity_KxT: Float[np.ndarray, "K T"]
    weight_J: Float[np.ndarray, " J"]
    kind_J: Int[np.ndarray, " J"]


def _grid(main: list[Clause], slots_K: Int[np.ndarray, " K"], lexicon: Lexicon) -> _Grid:
    title_KxT = lexicon.title_NxT[slots_K]
    found = [np.isin(title_KxT, [term for a in clause.alternatives for term in a.terms]) for clause in main]
    found_JxKxT = np.stack(found) if found else np.zeros((0, *title_KxT.shape), bool)
    rarity_KxT = lexicon.inverse_frequencies(title_KxT)
    weights = [lexical.clause_weight(clause, lexicon) for clause in main]
    kinds = [clause.term.kind for clause in main]
    return _Grid(found_JxKxT, rarity_KxT, np.array(weights), np.array(kinds, int))


def _words(asked: Asked, slots_K: Int[np.ndarray, " K"], shelf: Shelf) -> dict[str, np.ndarray | float]:
    lexicon = shelf.lexicon
    main = [clause for clause in asked.query.clauses if clause.term.kind in MAIN]
    grid = _grid(main, slots_K, lexicon)
    in_JxK = grid.found_JxKxT.any(2)
    return (
        _matched(main, grid, in_JxK)
        | _places(grid, in_JxK, slots_K, lexicon)
        | _phrases(grid, in_JxK)
        | _kinds(asked.query, slots_K, lexicon)
        | _lengths(slots_K, lexicon)
    )


def _matched(main: list[Clause], grid: _Grid, in_JxK: Bool[np.ndarray, "J K"]) -> dict[str, np.ndarray | float]:
    total = max(float(grid.weight_J.sum()), 1e-6)
    exact_J = np.array([any(a.why == EXACT for a in clause.alternatives) for clause in main], bool)
    missed_JxK = np.where(in_JxK, 0.0, grid.weight_J[:, None])
    return {
        "matched": in_JxK.sum(0),
        "matched_exactly": (in_JxK & exact_J[:, None]).sum(0),
        "missed_rarity": missed_JxK.max(0, initial=0.0),
        "missed_share": missed_JxK.sum(0) / total,
    }


def _places(
    grid: _Grid, in_JxK: Bool[np.ndarray, "J K"], slots_K: Int[np.ndarray, " K"], lexicon: Lexicon
) -> dict[str, np.ndarray | float]:
    any_KxT = grid.found_JxKxT.any(0)
    count, width = any_KxT.shape
    head_KxT = np.arange(width) < lexicon.head_N[slots_K][:, None]
    rarity_KxT = grid.rarity_KxT
    named_KxT = np.where(any_KxT, rarity_KxT, 0.0)
    head_rarity_K = np.where(head_KxT, rarity_KxT, 0.0).sum(1)
    noun_K = lexicon.noun_N[slots_K].astype(int)
    at_noun_JxK = grid.found_JxKxT[:, np.arange(count), np.maximum(noun_K, 0)] & (noun_K >= 0)
    spoken_J = (grid.kind_J == analyser.WORD) | (grid.kind_J == analyser.HAN)
    last = int(np.flatnonzero(spoken_J)[-1]) if spoken_J.any() else None
    places = np.where(any_KxT, np.arange(width), 0)
    number_K = np.maximum(any_KxT.sum(1), 1)
    return {
        "title_share": named_KxT.sum(1) / np.maximum(rarity_KxT.sum(1), 1e-6),
        "head_share": np.where(head_KxT, named_KxT, 0).sum(1) / np.maximum(head_rarity_K, 1e-6),
        "tail_share": np.where(head_KxT, 0, named_KxT).sum(1) / np.maximum(named_KxT.sum(1), 1e-6),
        "noun": at_noun_JxK.any(0),
        "noun_is_last": at_noun_JxK[last] if last is not None else 0.0,
        "last_in_head": (grid.found_JxKxT[last] & head_KxT).any(1) if last is not None else 0.0,
        "first_place": np.where(any_KxT.any(1), any_KxT.argmax(1), width),
        "mean_place": places.sum(1) / number_K,
        "starts": any_KxT[:, 0],
        "span": np.where(any_KxT.any(1), width - any_KxT[:, ::-1].argmax(1) - any_KxT.argmax(1), 0) / number_K,
    }


def _phrases(grid: _Grid, in_JxK: Bool[np.ndarray, "J K"]) -> dict[str, np.ndarray | float]:
    """How many neighbours in the query are neighbours, or in the same order, in each title."""
    if len(in_JxK) < 2:
        return {"adjacent": 0.0, "ordered": 0.0}
    before, behind = grid.found_JxKxT[:-1], grid.found_JxKxT[1:]
    adjacent_IxK = (before[:, :, :-1] & behind[:, :, 1:]).any(2)
    width = before.shape[2]
    last_IxK = np.where(behind.any(2), width - behind[:, :, ::-1].argmax(2), -1)
    ordered_IxK = before.any(2) & (before.argmax(2) < last_IxK - 1)
    return {"adjacent": adjacent_IxK.mean(0), "ordered": ordered_IxK.mean(0)}


def _kinds(asked: Query, slots_K: Int[np.ndarray, " K"], lexicon: Lexicon) -> dict[str, np.ndarray | float]:
    """How many numbers, measures, sizes and codes of the query each candidate contains."""
    count_K = {
        kind: np.zeros(len(slots_K)) for kind in (analyser.NUMBER, analyser.MEASURE, analyser.SIZE, analyser.CODE)
    }
    numbers = 0
    for clause in asked.clauses:
        if clause.term.kind not in count_K:
            continue
        numbers += clause.term.kind == analyser.NUMBER
        holds_K = np.zeros(len(slots_K), bool)
        for alternative in clause.alternatives:
            for term in alternative.terms:
                holds_K |= np.isin(slots_K, lexicon.postings.lookup(term)[0])
        count_K[clause.term.kind] += holds_K
    return {
        "numbers": count_K[analyser.NUMBER],
        "measures": count_K[analyser.MEASURE],
        "sizes": count_K[analyser.SIZE],
        "codes": count_K[analyser.CODE],
        "numbers_missed": numbers - count_K[analyser.NUMBER],
    }


def _told(asked: Asked, slots_K: Int[np.ndarray, " K"], shelf: Shelf) -> dict[str, np.ndarray | float]:
    if shelf.associations is None:
        return dict.fromkeys(associations.NAMES, 0.0)
    words_W = associations.hashed(query.main_words(asked.query, shelf.lexicon))
    return associations.compute(shelf.associations, words_W, shelf.lexicon.hashed_NxT[slots_K])


def letters(text: str, slots_K: Int[np.ndarray, " K"], lexicon: Lexicon) -> Float32[np.ndarray, " K"]:
    """The share of the rarity of the text's trigrams that each title has."""
    found = trigrams.hashed(text)
    weight_L = np.zeros(trigrams.BUCKETS + 1, np.float32)
    weight_L[found] = lexicon.letter_rarity(found)
    return weight_L[lexicon.letters_NxL[slots_K]].sum(1) / max(float(weight_L.sum()), 1e-6)


def _lengths(slots_K: Int[np.ndarray, " K"], lexicon: Lexicon) -> dict[str, np.ndarray | float]:
    return {
        "title_length": (lexicon.title_NxT[slots_K] != PADDING).sum(1),
        "head_length": lexicon.head_N[slots_K],
        "title_numbers": lexicon.numbers_N[slots_K],
    }


def _feedback(
    slots_K: Int[np.ndarray, " K"], columns: dict[str, np.ndarray | float], shelf: Shelf
) -> dict[str, np.ndarray | float]:
    """How similar a candidate is to the first ones (by lexical score and likeness), which show the query's topic."""
    order_K = np.argsort(np.asarray(columns["score_rank"]) + np.asarray(columns["likeness_rank"]), kind="stable")
    first = slots_K[order_K[:_FIRST]]
    title_NxT = shelf.lexicon.title_NxT
    noun_N = shelf.lexicon.noun_N
    nouns_K = np.where(noun_N[slots_K] >= 0, title_NxT[slots_K, np.maximum(noun_N[slots_K], 0)], PADDING)
    first_nouns = nouns_K[order_K[:_FIRST]]
    starts_K, first_starts = title_NxT[slots_K, 0], title_NxT[first, 0]
    likeness_K = np.zeros(len(slots_K))
    if shelf.vectors_NxD is not None:
        likeness_K = shelf.vectors_NxD[slots_K] @ shelf.vectors_NxD[first].mean(0)
    return {
        "likeness_to_best": likeness_K,
        "noun_agreement": (nouns_K[:, None] == first_nouns).mean(1),
        "start_agreement": (starts_K[:, None] == first_starts).mean(1),
    }


def _query(asked: Asked, shelf: Shelf) -> dict[str, np.ndarray | float]:
    clauses = asked.query.clauses
    return {
        "query_clauses": float(sum(clause.term.kind in MAIN for clause in clauses)),
        "query_unknown": float(len(asked.query.unknown)),
        "query_rarity": sum(lexical.clause_weight(clause, shelf.lexicon) for clause in clauses),
        "query_numbers": float(sum(clause.term.kind == analyser.NUMBER for clause in clauses)),
    }


def _ranks(values_K: np.ndarray) -> np.ndarray:
    """log(1 + rank), the best at 0."""
    ranks_K = np.empty(len(values_K))
    ranks_K[np.argsort(-values_K, kind="stable")] = np.arange(len(values_K))
    return np.log1p(ranks_K)
