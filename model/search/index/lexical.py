"""Lexical matching: how well each item's words match a query."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int

from model.search.index.lexicon import Lexicon
from model.search.index.query import Alternative, Clause, Query


class Match(NamedTuple):
    """`score_N` is BM25F over clauses, 0 without a match; `coverage_N` the share of the query that was found, 0..1."""

    score_N: Float32[np.ndarray, " N"]
    coverage_N: Float32[np.ndarray, " N"]


def match(query: Query, lexicon: Lexicon) -> Match:
    """Every slot's score, including closed ones.

    A clause counts by the best of its alternatives. The sum is multiplied by a power of the share of the query's weight
    that was found (coordination; Manning et al. 2008, "Introduction to Information Retrieval", 7.1).
    """
    score_N = np.zeros(lexicon.slots, np.float32)
    coverage_N = np.zeros(lexicon.slots, np.float32)
    total = 0.0
    for clause in query.clauses:
        weight = clause_weight(clause, lexicon)
        total += weight
        if clause.least:
            slots, scores, held_P = _partly(clause, lexicon)
            score_N[slots] += scores
            coverage_N[slots] += weight * held_P
            continue
        if len(clause.alternatives) == 1 and len(clause.alternatives[0].terms) == 1:
            slots, scores = _alternative(clause, clause.alternatives[0], lexicon)
            score_N[slots] += scores
            coverage_N[slots] += weight * clause.alternatives[0].weight
            continue
        best_N = np.zeros(lexicon.slots, np.float32)
        share_N = np.zeros(lexicon.slots, np.float32)
        for alternative in clause.alternatives:
            slots, scores = _alternative(clause, alternative, lexicon)
            best_N[slots] = np.maximum(best_N[slots], scores)
            share_N[slots] = np.maximum(share_N[slots], weight * alternative.weight)
        score_N += best_N
        coverage_N += share_N
    if total > 0:
        coverage_N /= np.float32(total)
        score_N *= coverage_N**lexicon.config.coverage_power
    return Match(score_N, coverage_N)


def clause_weight(clause: Clause, lexicon: Lexicon) -> float:
    """The greatest weight of a clause: that of its kind, times the rarity of its best alternative."""
    best = max(_rarity(alternative, lexicon) * alternative.weight for alternative in clause.alternatives)
    return lexicon.config.kind_weights[clause.term.kind] * best


def best(score_N: Float32[np.ndarray, " N"], k: int, open_N: Bool[np.ndarray, " N"]) -> Int[np.ndarray, " K"]:
    """The open slots with the `k` greatest scores, best first; ties in the order of their slots."""
    slots = np.flatnonzero(open_N)
    scores = score_N[slots]
    if k >= len(slots):
        return slots[np.argsort(-scores, kind="stable")]
    if k <= 0:
        return slots[:0]
    # Negated scores: numpy takes twenty times as long if the many equal values, here 0, are the small ones.
    least = -np.partition(-scores, k - 1)[k - 1]
    above = slots[scores > least]
    above = above[np.argsort(-score_N[above], kind="stable")]
    return np.concatenate([above, slots[scores == least][: k - len(above)]])


def _partly(
    clause: Clause, lexicon: Lexicon
) -> tuple[Int[np.ndarray, " P"], Float32[np.ndarray, " P"], Float32[np.ndarray, " P"]]:
    """The slots that hold enough of a clause's terms, what each scores, and the share of them that it holds.

    Where no open one holds enough, the run is misspelt: then those that hold most of it, if that is half.
    """
    held_N = np.zeros(lexicon.slots, np.int32)
    score_N = np.zeros(lexicon.slots, np.float32)
    for term in clause.alternatives[0].terms:
        slots, scores = _alternative(clause, Alternative((term,), clause.alternatives[0].weight, ""), lexicon)
        held_N[slots] += 1
        score_N[slots] += scores
    least = clause.least
    most = int(held_N.max(initial=0, where=lexicon.open_N))
    if most < least:
        least = most if 2 * most >= clause.of else clause.of + 1
    found = np.flatnonzero(held_N >= least) if least else np.zeros(0, np.int64)
    return found, score_N[found] / np.float32(clause.of), held_N[found] / np.float32(clause.of)


def _rarity(alternative: Alternative, lexicon: Lexicon) -> float:
    return sum(lexicon.inverse_frequency(term) for term in alternative.terms) / len(alternative.terms)


def _alternative(
    clause: Clause, alternative: Alternative, lexicon: Lexicon
) -> tuple[Int[np.ndarray, " P"], Float32[np.ndarray, " P"]]:
    """The slots that contain all terms of an alternative, and the score of each."""
    scale = lexicon.config.kind_weights[clause.term.kind] * alternative.weight
    first, *others = alternative.terms
    slots, weights = lexicon.postings.lookup(first)
    for term in clause.without:
        other = ~np.isin(slots, lexicon.postings.lookup(term)[0])
        slots, weights = slots[other], weights[other]
    scores = np.float32(scale * lexicon.inverse_frequency(first) / len(alternative.terms)) * weights
    for other in others:
        other_slots, other_weights = lexicon.postings.lookup(other)
        slots, mine, theirs = np.intersect1d(slots, other_slots, assume_unique=True, return_indices=True)
        gain = np.float32(scale * lexicon.inverse_frequency(other) / len(alternative.terms))
        scores = scores[mine] + gain * other_weights[theirs]
    return slots, scores
