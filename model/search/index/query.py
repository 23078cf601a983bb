"""A query understood: what must be found, and by which terms of the catalogue each part of it may be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from model.search.index import spelling
from model.search.index.document import MAIN
from model.search.index.lexicon import Lexicon
from model.text import analyser
from model.text.analyser import Term
from model.text.synonyms import Synonyms, key

EXACT, SPELLING, JOINED, SPLIT, SYNONYM = "exact", "spelling", "joined", "split", "synonym"
"""Why a term stands for a part of a query."""


class Alternative(NamedTuple):
    """Terms that all have to be there, how much they count (0..1), and why."""

    terms: tuple[int, ...]
    weight: float
    why: str


@dataclass(frozen=True)
class Clause:
    """One part of a query: the term it came from, and what stands for it; the best that an item holds counts."""

    term: Term
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True)
class Query:
    """`unknown` are the words that nothing in the catalogue stands for; `meant` is the text as probably meant, or None.

    `terms` are all terms that were read.
    """

    text: str
    terms: tuple[Term, ...]
    clauses: tuple[Clause, ...]
    unknown: tuple[str, ...]
    meant: str | None


def understand(text: str, lexicon: Lexicon, synonyms: Synonyms) -> Query:
    """What `text` asks of the catalogue; never raises for any `str`."""
    terms = _distinct(analyser.terms(text))[: lexicon.config.longest_query]
    clauses: list[Clause] = []
    unknown: list[str] = []
    meant: dict[str, str] = {}
    for term in terms:
        found, right = _clauses(term, terms, lexicon)
        clauses.extend(found)
        if right is not None:
            meant[term.surface] = right
        if not found and term.kind in (analyser.WORD, analyser.CODE, analyser.HAN):
            unknown.append(term.surface)
    clauses = _with_joined(clauses, terms, lexicon)
    clauses = _with_synonyms(clauses, terms, lexicon, synonyms)
    return Query(text, tuple(terms), tuple(clauses), tuple(unknown), _respelt(text, meant))


def main_words(asked: Query, lexicon: Lexicon) -> list[str]:
    """The terms of the catalogue that most probably stand for each word, number and code of a query, in order."""
    firsts = (clause.alternatives[0] for clause in asked.clauses if clause.term.kind in MAIN)
    return [lexicon.postings.terms[term] for alternative in firsts for term in alternative.terms]


def _distinct(terms: Sequence[Term]) -> list[Term]:
    seen: dict[str, Term] = {}
    for term in terms:
        seen.setdefault(term.term, term)
    return list(seen.values())


def _clauses(term: Term, terms: Sequence[Term], lexicon: Lexicon) -> tuple[list[Clause], str | None]:
    """The clauses of one term, none if nothing stands for it, and how it was probably meant, if it is misspelt."""
    own = lexicon.postings.ids.get(term.term)
    holding = lexicon.postings.frequency(own) if own is not None else 0
    found = [Alternative((own,), 1.0, EXACT)] if own is not None and holding else []
    if term.kind == analyser.WORD and holding <= lexicon.config.rare:
        parts = lexicon.parts(term.surface)
        if parts is not None:
            ids = [lexicon.stem_id(part) for part in parts]
            halves = [Clause(term, (Alternative((each,), 1.0, SPLIT),)) for each in ids if each is not None]
            return halves + ([Clause(term, tuple(found))] if found else []), None if holding else " ".join(parts)
        near = spelling.corrections(term.surface, _beside(term, terms, lexicon), lexicon)
        weights = (lexicon.config.correction_weight, lexicon.config.correction_weight**4)
        found += [Alternative((c.term,), weight, SPELLING) for c, weight in zip(near, weights, strict=False)]
        if found:
            return [Clause(term, tuple(found))], near[0].word if near and not holding else None
    if term.kind == analyser.CODE and not found:
        return [Clause(piece, (Alternative((i,), 1.0, SPLIT),)) for piece, i in _pieces(term, lexicon)], None
    return [Clause(term, tuple(found))] if found else [], None


def _pieces(term: Term, lexicon: Lexicon) -> Iterator[tuple[Term, int]]:
    """The letters and the digits of a code, as far as the catalogue has them: "iphone15" is "iphone" and "15"."""
    runs = ("".join(run) for _, run in itertools.groupby(term.term, str.isdigit))
    for run in runs:
        kind = analyser.NUMBER if run.isdigit() else analyser.WORD
        found = lexicon.stem_id(run)
        if found is not None and (len(run) > 1 or run.isdigit()):
            yield term._replace(kind=kind), found


def _beside(term: Term, terms: Sequence[Term], lexicon: Lexicon) -> list[int]:
    ids = (lexicon.postings.ids.get(t.term) for t in terms if t != term and t.kind in (analyser.WORD, analyser.CODE))
    return [found for found in ids if found is not None and lexicon.postings.frequency(found) > lexicon.config.rare]


def _with_joined(clauses: list[Clause], terms: Sequence[Term], lexicon: Lexicon) -> list[Clause]:
    """Neighbours that the catalogue writes as one word, "shower head" and "showerhead", may be found by that."""
    joinable = [term for term in terms if term.kind in (analyser.WORD, analyser.NUMBER)]
    for a, b in itertools.pairwise(joinable):
        word = a.surface + b.surface
        joined = lexicon.stem_id(word) if b.place == a.place + 1 and lexicon.vocabulary.frequency(word) else None
        if joined is None:
            continue
        alternative = Alternative((joined,), lexicon.config.join_weight, JOINED)
        there = {clause.term for clause in clauses}
        clauses = [_or(c, alternative) if c.term in (a, b) else c for c in clauses]
        clauses += [Clause(a, (alternative,))] if not there & {a, b} else []
    return clauses


def _with_synonyms(clauses: list[Clause], terms: Sequence[Term], lexicon: Lexicon, synonyms: Synonyms) -> list[Clause]:
    """Phrases of the query that the shop has other words for may be found by all words of one of those."""
    main = [term for term in terms if key([term])]
    for length in range(synonyms.longest, 0, -1):
        for start in range(len(main) - length + 1):
            covered = main[start : start + length]
            for phrase in synonyms.others.get(key(covered), ()):
                ids = [lexicon.postings.ids.get(term) for term in phrase]
                if any(found is None or not lexicon.postings.frequency(found) for found in ids):
                    continue
                there = {clause.term for clause in clauses}
                weight = lexicon.config.synonym_weight
                other = Alternative(tuple(i for i in ids if i is not None), weight, SYNONYM)
                clauses = [_or(c, other) if c.term in covered else c for c in clauses]
                clauses += [Clause(term, (other,)) for term in covered[:1] if not there & set(covered)]
    return clauses


def _or(clause: Clause, other: Alternative) -> Clause:
    known = any(other.terms == alternative.terms for alternative in clause.alternatives)
    return clause if known else replace(clause, alternatives=(*clause.alternatives, other))


def _respelt(text: str, meant: dict[str, str]) -> str | None:
    if not meant:
        return None
    return " ".join(meant.get(word.lower().strip(".,!?"), word) for word in text.split())
