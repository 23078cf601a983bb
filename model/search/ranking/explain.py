"""Why an item is a hit: which parts of the query it contains, how, and its signals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.search.index import lexical
from model.search.index.query import Alternative, Clause
from model.search.ranking import features
from model.search.ranking.features import Asked, Shelf


class Held(NamedTuple):
    """A part of the query that an item contains: as typed, the matching terms, why they match, and its share."""

    typed: str
    terms: tuple[str, ...]
    why: str
    share: float


class Why(NamedTuple):
    """The parts of the query that an item contains and lacks, and its signals by the names of `features.NAMES`."""

    held: tuple[Held, ...]
    lacking: tuple[str, ...]
    signals: dict[str, float]


def hit(asked: Asked, slot: int, shelf: Shelf) -> Why:
    """Why the item in `slot` is a hit. For each part of the query, the alternative that counts most is named."""
    lexicon = shelf.lexicon
    weights = [lexical.clause_weight(clause, lexicon) for clause in asked.query.clauses]
    total = sum(weights) or 1.0
    held: list[Held] = []
    lacking: list[str] = []
    for clause, weight in zip(asked.query.clauses, weights, strict=True):
        parts = (_of(clause, alternative, slot, shelf) for alternative in clause.alternatives)
        there = [part for part in parts if part is not None]
        if there:
            best = max(there, key=lambda alternative: alternative.weight)
            terms = tuple(lexicon.postings.terms[term] for term in best.terms)
            held.append(Held(clause.term.surface, terms, best.why, weight * best.weight / total))
        else:
            lacking.append(clause.term.surface)
    row_F = features.compute(asked, np.array([slot]), shelf)[0]
    signals = {name: float(value) for name, value in zip(features.NAMES, row_F, strict=True)}
    still = dict.fromkeys(typed for typed in lacking if typed not in {each.typed for each in held})
    return Why(tuple(held), tuple(still), signals)


def _of(clause: Clause, alternative: Alternative, slot: int, shelf: Shelf) -> Alternative | None:
    """The alternative as far as the item holds it; None where that is not enough."""
    held = tuple(term for term in alternative.terms if _holds(shelf, slot, term))
    if (
        any(_holds(shelf, slot, term) for term in clause.without)
        or not held
        or len(held) < (clause.least or len(alternative.terms))
    ):
        return None
    return alternative._replace(terms=held)


def _holds(shelf: Shelf, slot: int, term: int) -> bool:
    slots, _ = shelf.lexicon.postings.lookup(term)
    at = int(np.searchsorted(slots, slot))
    return at < len(slots) and int(slots[at]) == slot
