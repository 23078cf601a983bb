"""Parsing a query: what must be found, and which terms of the catalogue may match each part of it."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from model.search.index import spelling
from model.search.index.document import MAIN
from model.search.index.lexicon import Lexicon
from model.text import analyser, codes, folding, normalise, scripts
from model.text.analyser import Term
from model.text.synonyms import Synonyms, key

EXACT, SPELLING, JOINED, SPLIT, SYNONYM, VARIANT, PARTLY = (
    "exact",
    "spelling",
    "joined",
    "split",
    "synonym",
    "variant",
    "partly",
)
"""Why a term stands for a part of a query."""

_ASCII_WORD = re.compile("[A-Za-z0-9]+")
_LEAST_HEAD = 4
_MOST_COMPOUNDS = 12
_SAID = frozenset((analyser.WORD, analyser.CODE, analyser.HAN))


class Alternative(NamedTuple):
    """Terms that all have to be present, how much they count (0..1), and why."""

    terms: tuple[int, ...]
    weight: float
    why: str


@dataclass(frozen=True)
class Clause:
    """One part of a query: the term it came from, and what stands for it; the best that an item holds counts.

    An item that holds one of `without` does not count. With `least`, so many of the terms of its one alternative
    suffice, and an item counts by how many of `of` it holds.
    """

    term: Term
    alternatives: tuple[Alternative, ...]
    least: int = 0
    of: int = 0
    without: tuple[int, ...] = ()


@dataclass(frozen=True)
class Query:
    """A parsed query.

    `terms` are all terms that were read, and `others` what they may also be written as; `named` is the term of the item
    whose id or SKU the text is, None for none.
    """

    text: str
    terms: tuple[Term, ...]
    clauses: tuple[Clause, ...]
    unknown: tuple[str, ...]
    meant: str | None
    named: int | None = None
    others: tuple[str, ...] = ()


class _Asked(NamedTuple):
    """What was read of a text: what it asks for, where folding changed it, other ways to write it, and grams by run."""

    terms: list[Term]
    accented: frozenset[int]
    variants: dict[int, list[str]]
    grams: dict[tuple[int, str], list[Term]]


def understand(text: str, lexicon: Lexicon, synonyms: Synonyms) -> Query:
    """What `text` asks of the catalogue; never raises for any `str`."""
    asked = _read(text, lexicon)
    clauses: list[Clause] = []
    meant: dict[str, str] = {}
    for term in asked.terms:
        found, right = _clauses(term, asked, lexicon)
        clauses.extend(found)
        if right is not None:
            meant[term.surface] = right
    clauses += _runs(asked, clauses, lexicon)
    clauses = _with_joined(clauses, asked.terms, lexicon)
    clauses = _with_synonyms(clauses, asked.terms, lexicon, synonyms)
    if meant:  # what the catalogue has in other words is no mistake
        found_otherwise = {c.term.surface for c in clauses if any(a.why in (JOINED, SYNONYM) for a in c.alternatives)}
        meant = {word: right for word, right in meant.items() if word not in found_otherwise}
    identity = analyser.identity(text)
    named = None if identity is None else lexicon.held(identity.term)
    if identity is not None and named is not None:
        clauses.append(Clause(identity, (Alternative((named,), 1.0, EXACT),)))
    terms = (*asked.terms, *itertools.chain(*asked.grams.values()), *([identity] if identity else []))
    others = tuple(itertools.chain(*asked.variants.values()))
    return Query(text, terms, tuple(clauses), _unknown(asked, clauses), _respelt(text, meant), named, others)


def main_words(asked: Query, lexicon: Lexicon) -> list[str]:
    """For each word, number and code of a query, in order, the terms of the catalogue that most probably match it."""
    firsts = (clause.alternatives[0] for clause in asked.clauses if clause.term.kind in MAIN)
    return [lexicon.postings.terms[term] for alternative in firsts for term in alternative.terms]


def _read(text: str, lexicon: Lexicon) -> _Asked:
    """The distinct terms of a text, as many as a query may have."""
    variants: dict[int, list[str]] = {}
    grams: dict[tuple[int, str], list[Term]] = {}
    seen: dict[str, Term] = {}
    for term in analyser.terms(text):
        if term.kind == analyser.PART:
            variants.setdefault(term.place, []).append(term.term)
        elif term.kind == analyser.GRAM:
            grams.setdefault((term.place, term.surface), []).append(term)
        else:
            seen.setdefault(term.term, term)
    most = lexicon.config.longest_query
    kept = {run: found[:most] for run, found in itertools.islice(grams.items(), most)}
    accented = frozenset(term.place for term in seen.values() if term.kind == analyser.SPELLED)
    return _Asked(list(seen.values())[:most], accented, variants, kept)


def _clauses(term: Term, asked: _Asked, lexicon: Lexicon) -> tuple[list[Clause], str | None]:
    """The clauses of one term, none if nothing stands for it, and how it was probably meant, if it is misspelt."""
    own = lexicon.held(term.term)
    # Of a run that its grams find, the whole one says little more.
    is_run = len(asked.grams.get((term.place, term.surface), ())) > 1
    found = [Alternative((own,), lexicon.config.run_weight if is_run else 1.0, EXACT)] if own is not None else []
    if term.kind == analyser.WORD:
        return _word(term, found, asked, lexicon)
    if term.kind == analyser.CODE:
        found += _readings(term, lexicon)
        if not found:
            return [Clause(piece, (Alternative((i,), 1.0, SPLIT),)) for piece, i in _pieces(term, lexicon)], None
    return [Clause(term, tuple(found))] if found else [], None


def _word(term: Term, found: list[Alternative], asked: _Asked, lexicon: Lexicon) -> tuple[list[Clause], str | None]:
    """The same of a word, which items may also write with its umlauts in full, and with or without accents."""
    holding = lexicon.postings.frequency(found[0].terms[0]) if found else 0
    others = map(lexicon.held, asked.variants.get(term.place, ()))
    variants = [Alternative((each,), lexicon.config.part_weight, VARIANT) for each in others if each is not None]
    clauses, right = [Clause(term, (*found, *variants))] if found or variants else [], None
    if holding <= lexicon.config.rare and not variants:
        clauses, right = _rare(term, found, asked.terms, lexicon)
    if found and term.place not in asked.accented and (accented := lexicon.spellings(term.term)):
        # Some items spell it with accents: those that do not, as it was typed, come first.
        plain = Term(term.term, analyser.SPELLED, term.place, term.surface)
        clauses.append(Clause(plain, (found[0],), without=tuple(accented)))
    return clauses, right


def _rare(
    term: Term, found: list[Alternative], terms: Sequence[Term], lexicon: Lexicon
) -> tuple[list[Clause], str | None]:
    """The same of a word that few items hold: it may be two words written as one, or another one, misspelt."""
    parts = lexicon.parts(term.surface)
    if parts is not None:
        ids = [lexicon.stem_id(part) for part in parts]
        halves = [Clause(term, (Alternative((each,), 1.0, SPLIT),)) for each in ids if each is not None]
        right = None if found else " ".join(map(lexicon.spelled, parts))
        return halves + ([Clause(term, tuple(found))] if found else []), right
    near = spelling.corrections(term.surface, _beside(term, terms, lexicon), lexicon)
    right = lexicon.spelled(near[0].word) if near and not found else None
    weights = (lexicon.config.correction_weight, lexicon.config.correction_weight**4)
    every = found + [Alternative((c.term,), weight, SPELLING) for c, weight in zip(near, weights, strict=False)]
    every = every or _compounds(term.surface, lexicon)
    return [Clause(term, tuple(every))] if every else [], right


def _compounds(word: str, lexicon: Lexicon) -> list[Alternative]:
    """Words that end in an unknown one, as "stehlampe" in "lampe": in many languages those are kinds of it."""
    if len(word) < _LEAST_HEAD:
        return []
    longer = sorted(lexicon.vocabulary.ending(word), key=lambda found: (-found[1], found[0]))[:_MOST_COMPOUNDS]
    ids = (lexicon.stem_id(each) for each, _ in longer)
    weight = lexicon.config.join_weight
    return [Alternative((each,), weight, PARTLY) for each in dict.fromkeys(ids) if each is not None]


def _readings(term: Term, lexicon: Lexicon) -> list[Alternative]:
    """A code as the words and numbers that it may be written as, those of them that the catalogue has."""
    weight = lexicon.config.part_weight
    found: list[Alternative] = []
    for reading in codes.readings(codes.parts(codes.latin(folding.fold(term.surface)))):
        ids = [_word_of_code(part, lexicon) for part in reading]
        if all(ids):
            terms = dict.fromkeys(itertools.chain(*ids))
            found.append(Alternative(tuple(terms), weight ** (len(found) + 1), SPLIT))
    return found


def _word_of_code(part: str, lexicon: Lexicon) -> list[int]:
    """The term of a part of a code, or of the two words that its letters are: "ipadpro11"; none if one is missing."""
    whole = lexicon.held(analyser.stem(part) if part.isalpha() else part)
    if whole is not None:
        return [whole]
    ids = [lexicon.stem_id(word) for word in lexicon.parts(part) or ()]
    return [each for each in ids if each is not None] if None not in ids else []


def _runs(asked: _Asked, clauses: Sequence[Clause], lexicon: Lexicon) -> list[Clause]:
    """Each run of a script without spaces by its grams, of which an item has to hold a few: it may be a part of more.

    A single gram would be found inside of other words, too: it serves where no item has the word itself.
    """
    found = []
    there = {clause.term.surface for clause in clauses}
    for (_, run), grams in asked.grams.items():
        held = [each for gram in grams if (each := lexicon.held(gram.term)) is not None]
        least = max(lexicon.config.least_grams, math.ceil(lexicon.config.least_gram_share * len(grams)))
        if 2 * len(held) < len(grams) and len(held) < least or (len(grams) == 1 and run in there):
            continue
        whole = Alternative(tuple(held), 1.0, PARTLY)
        found.append(Clause(grams[0], (whole,), min(least, len(grams)), len(grams)))
    return found


def _unknown(asked: _Asked, clauses: Sequence[Clause]) -> tuple[str, ...]:
    there = {clause.term for clause in clauses}
    partly = [clause.term.surface for clause in clauses if clause.least]
    words = (term for term in asked.terms if term.kind in _SAID and term not in there)
    return tuple(term.surface for term in words if not any(term.surface in run for run in partly))


def _pieces(term: Term, lexicon: Lexicon) -> Iterator[tuple[Term, int]]:
    """The letters and the digits of a code, if the catalogue has them: "iphone15" is "iphone" and "15"."""
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
    """Neighbours that the catalogue writes as one word, "shower head" and "showerhead", also match that word."""
    joinable = [term for term in terms if term.kind in (analyser.WORD, analyser.NUMBER)]
    for a, b in itertools.pairwise(joinable):
        word = a.surface + b.surface
        joined = lexicon.stem_id(word) if b.place == a.place + 1 else None
        if joined is None:
            continue
        alternative = Alternative((joined,), lexicon.config.join_weight, JOINED)
        there = {clause.term for clause in clauses}
        clauses = [_or(c, alternative) if c.term in (a, b) else c for c in clauses]
        clauses += [Clause(a, (alternative,))] if not there & {a, b} else []
    return clauses


def _with_synonyms(clauses: list[Clause], terms: Sequence[Term], lexicon: Lexicon, synonyms: Synonyms) -> list[Clause]:
    """Phrases of the query for which the shop has synonyms also match all words of one synonym."""
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
    """The text with the words that were meant in place of those that were typed, each of them whole."""
    if not meant:
        return None

    def right(match: re.Match[str]) -> str:
        word = match[0].lower() if match[0].isascii() else folding.fold(normalise.clean(match[0]))
        return meant.get(word, match[0])

    typed = " ".join(text.split())
    respelt = (_ASCII_WORD if typed.isascii() else scripts.words()).sub(right, typed)
    return None if respelt == typed else respelt
