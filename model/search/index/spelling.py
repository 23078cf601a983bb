"""Spelling correction: the probable meaning of a misspelt word, judged by the other words of the query."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from model.search.index.lexicon import Lexicon
from model.search.index.vocabulary import Candidate

_CONSIDERED = 15
_KEPT = 2
_CLOSE = 1.0  # how much less likely, in logarithms, a second correction may be


class Correction(NamedTuple):
    """A word of the catalogue that may have been meant, its term, and its likelihood."""

    word: str
    term: int
    likelihood: float


def corrections(word: str, beside: Iterable[int], lexicon: Lexicon) -> list[Correction]:
    """The most likely words for `word`, best first, at most two; none if no near word is frequent enough.

    `beside` are the terms of the query's other words. A noisy channel (Kernighan, Church and Gale 1990, "A spelling
    correction program based on a noisy channel model", COLING): the frequency of the candidate, how much more often
    than by chance it is in titles with the other words, and how likely its edits are; people rarely get the first
    letter wrong.
    """
    own = lexicon.stem_id(word)
    every = lexicon.vocabulary.near(word)[:_CONSIDERED]
    near = [c for c in every if c.frequency >= 2] or _longer(word, lexicon) or (every if own is None else [])
    floor = lexicon.config.rarer * (lexicon.postings.frequency(own) if own is not None else 0)
    context_N = _context([term for term in beside if term != own], lexicon)
    found: dict[int, Correction] = {}
    for candidate in near:
        term = lexicon.stem_id(candidate.word)
        if term is None or term == own or candidate.frequency < floor:
            continue
        likelihood = _likelihood(word, candidate, term, context_N, lexicon)
        if term not in found or likelihood > found[term].likelihood:
            found[term] = Correction(candidate.word, term, likelihood)
    best = sorted(found.values(), key=lambda each: (-each.likelihood, each.word))[:_KEPT]
    return [each for each in best if each.likelihood >= best[0].likelihood - _CLOSE]


def _longer(word: str, lexicon: Lexicon) -> list[Candidate]:
    """If no word is near: words that begin with `word`."""
    if len(word) < 4:
        return []
    starting = sorted(lexicon.vocabulary.starting(word), key=lambda found: (-found[1], found[0]))[:_CONSIDERED]
    return [Candidate(longer, 1, frequency) for longer, frequency in starting if frequency >= 2]


def _context(beside: list[int], lexicon: Lexicon) -> np.ndarray | None:
    """How much of the rest of the query each slot contains, relative to the mean; None without a rest."""
    weight_N = np.zeros(lexicon.slots, np.float32)
    for term in beside:
        weight_N[lexicon.postings.lookup(term)[0]] += lexicon.inverse_frequency(term)
    weight_N[~lexicon.open_N] = 0.0
    mean = float(weight_N.sum()) / max(lexicon.open, 1)
    return weight_N / mean if mean > 0 else None


def _likelihood(word: str, candidate: Candidate, term: int, context_N: np.ndarray | None, lexicon: Lexicon) -> float:
    slots, _ = lexicon.postings.lookup(term)
    lift = 1.0 if context_N is None else float(context_N[slots].sum()) / lexicon.postings.frequency(term)
    same_start = candidate.word[0] == word[0]
    same_end = candidate.word[-1] == word[-1]
    frequency = math.log1p(lexicon.postings.frequency(term))
    return 0.5 * frequency + math.log(lift + 0.1) - 2.5 * candidate.edits + 1.0 * same_start + 0.3 * same_end
