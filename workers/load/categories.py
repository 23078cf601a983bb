"""Categories from titles, for a catalogue without any: the kind of product that a title names.

In English the product itself is the last noun: a *white hanging heart t-light holder* is a holder. So a word that ends
many titles, and ends a large share of the titles that contain it, names a kind of product; colours and patterns end
titles too, but are more often before the noun. A title's category is the last such word in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_LEAST_TITLES = 8
_LEAST_SHARE = 1 / 3
# Words that end titles without naming what is sold.
_NOT_PRODUCTS = frozenset({
    "assorted", "colour", "design", "font", "girl", "boy", "home", "large", "london", "medium", "paisley", "pattern",
    "piece", "small", "spot", "style", "tone",
})  # fmt: skip
_WORD = re.compile(r"[^\W\d_]{3,}(?:-[^\W\d_]+)*")


def from_titles(titles: Sequence[str]) -> list[str | None]:
    """Return each title's category, None if none of its words names a kind of product."""
    words = [[_singular(word) for word in _WORD.findall(title.lower())] for title in titles]
    known = _product_words(words)
    return [next((word.capitalize() for word in reversed(row) if word in known), None) for row in words]


def _product_words(words: Sequence[Sequence[str]]) -> set[str]:
    everywhere = Counter(word for row in words for word in set(row))
    at_the_end = Counter(row[-1] for row in words if row)
    return {
        word
        for word, count in at_the_end.items()
        if count >= _LEAST_TITLES and count >= _LEAST_SHARE * everywhere[word] and word not in _NOT_PRODUCTS
    }


def _singular(word: str) -> str:
    if word.endswith(("xes", "shes", "ches", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
