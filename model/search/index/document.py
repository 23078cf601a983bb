"""An item as search reads it: its terms by field, the head of its title, and its written words."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from model.catalogue import Item
from model.search.config import FIELDS, SearchConfig
from model.text import analyser, folding, trigrams
from model.text.analyser import Term

_PARTS = frozenset((analyser.BIGRAM, analyser.CHARACTER, analyser.ENDING, analyser.GRAM, analyser.PART))
_LESSER = frozenset((analyser.PART, analyser.GRAM))

_ATTRIBUTES = FIELDS.index("attributes")

MAIN = frozenset((analyser.WORD, analyser.NUMBER, analyser.CODE, analyser.HAN))
"""The kinds of terms that count for length and order: one per word of the text. The other kinds repeat them."""

# Typical lengths of title, brand, category, attributes and text, in main terms: the averages of an empty index.
TYPICAL_LENGTHS = (9.0, 1.5, 2.0, 6.0, 40.0)


@dataclass(frozen=True)
class Document:
    """One item. `fields[f]` are the terms of field f, aligned with `config.FIELDS`.

    The title says what the product is before position `head`; `noun` is the position of the last word before it;
    `letters` are the title's hashed trigrams.
    """

    fields: tuple[Sequence[Term], ...]
    head: int
    noun: int
    letters: tuple[int, ...] = ()

    @property
    def title(self) -> list[Term]:
        """The main terms of the title, in order."""
        return [term for term in self.fields[0] if term.kind in MAIN]

    @property
    def words(self) -> set[str]:
        """The distinct words and codes, as written: the possible corrections of a misspelt word."""
        return {term.surface for term in itertools.chain(*self.fields) if term.kind == analyser.WORD}

    @property
    def spellings(self) -> set[tuple[str, str]]:
        """The distinct words that folding changed, folded and as they are spelled."""
        terms = itertools.chain(*self.fields)
        return {(folding.fold(term.surface), term.surface) for term in terms if term.kind == analyser.SPELLED}

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """The distinct pairs of adjacent words of the title."""
        words = [term for term in self.fields[0] if term.kind == analyser.WORD]
        return {(a.surface, b.surface) for a, b in itertools.pairwise(words) if b.place == a.place + 1}

    @property
    def lengths(self) -> tuple[int, ...]:
        """The number of main terms of each field."""
        return tuple(sum(term.kind in MAIN for term in terms) for terms in self.fields)


_IDENTITIES = frozenset(
    [
        "sku",
        "mpn",
        "gtin",
        "ean",
        "upc",
        "isbn",
        "asin",
        "barcode",
        "articlenumber",
        "partnumber",
        "modelnumber",
        "itemnumber",
    ]
)


def read(item: Item) -> Document:
    """The item's document. `attributes` are labels, "name=value" or plain."""
    attributes = " ; ".join(attribute.replace("=", " ") for attribute in item.attributes)
    texts = (item.brand or "", item.category or "", attributes, item.text)
    title = analyser.analyse(item.title)
    nouns = [t.place for t in title.terms if t.kind in (analyser.WORD, analyser.HAN) and t.place < title.head]
    fields = (title.terms, *(analyser.terms(text) for text in texts))
    fields[_ATTRIBUTES].extend(_identities(item))
    return Document(fields, title.head, max(nouns, default=-1), tuple(trigrams.hashed(item.title)))


def frequencies(document: Document, average: Sequence[float], config: SearchConfig) -> dict[str, float]:
    """Each term's frequency over the fields, weighted and relative to their lengths, saturated: 0 to k1 + 1.

    BM25F (Robertson, Zaragoza and Taylor 2004, "Simple BM25 extension to multiple weighted fields", CIKM), without
    the inverse document frequency. `average` are the mean lengths of the fields.
    """
    total: Counter[str] = Counter()
    for field, terms in enumerate(document.fields):
        relative = document.lengths[field] / max(average[field], 1.0)
        scale = max(config.field_weights[field], 1e-6) / (1 - config.b + config.b * relative)
        for term in terms:
            share = config.part_weight if term.kind in _LESSER else 1.0
            total[term.term] += scale * share * (_emphasis(term, document, config) if not field else 1.0)
    return {term: count * (config.k1 + 1) / (count + config.k1) for term, count in total.items()}


def _identities(item: Item) -> list[Term]:
    """The item's id, and attributes that are one: its SKU, its number with the maker, its barcode."""
    named = (attribute.partition("=") for attribute in item.attributes)
    numbers = [value for name, _, value in named if "".join(filter(str.isalnum, name.lower())) in _IDENTITIES]
    found = (analyser.identity(number) for number in (item.item_id, *numbers))
    return [term for term in found if term is not None]


def _emphasis(term: Term, document: Document, config: SearchConfig) -> float:
    if term.place >= document.head:
        return config.tail_weight
    return config.head_weight if term.place == document.noun and term.kind not in _PARTS else 1.0
