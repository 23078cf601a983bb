"""The baseline of search: bm25s on the same queries."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from importlib import util

from model.search.learning.judgements import DEPTH
from model.text import normalise

_RUN = re.compile(f"[{normalise.HAN}]+")


def bm25s(texts: Sequence[str]) -> Callable[[str], list[int]] | None:
    """Return a function that ranks a query by bm25s with an English stemmer and stop words; None if not installed.

    It gets a run of Chinese characters as pairs of neighbours, since it has no other way to split them.
    """
    if util.find_spec("bm25s") is None:
        return None
    import bm25s as library
    import Stemmer

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it reports each step

    stemmer = Stemmer.Stemmer("english")

    def tokenized(given: Sequence[str]) -> list[list[str]]:
        return library.tokenize(  # type: ignore[no-any-return]
            [bigrams(text) for text in given], stopwords="en", stemmer=stemmer, show_progress=False, return_ids=False
        )

    index = library.BM25()
    index.index(tokenized(texts), show_progress=False)

    def rank(query: str) -> list[int]:
        asked = tokenized([query])
        if not any(token in index.vocab_dict for token in asked[0]):
            return []
        depth = min(DEPTH, len(texts))
        found, scores = index.retrieve(asked, k=depth, show_progress=False)
        return [int(item) for item, score in zip(found[0], scores[0], strict=True) if score > 0]

    return rank


def bigrams(text: str) -> str:
    """Return the text with each run of Chinese characters as its pairs of neighbours, between spaces."""
    return _RUN.sub(lambda run: f" {' '.join(_pairs(run[0]))} ", text)


def _pairs(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(len(run) - 1)] or [run]
