"""Baselines: ways to score every product for every query without knowledge of Chinese, or of meaning.

`scores_QxN` are higher for a better match; a product with 0 or less is not found.
"""

from __future__ import annotations

import collections
import re
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from model.text.bert.encoder import Encoder

_RUN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+|[a-z0-9.]+")
# Lucene's saturation, and the share of a text's length that counts.
_K1, _B = 1.5, 0.75

Cut = Callable[[str], list[str]]


def bigrams(text: str) -> list[str]:
    """Pairs of neighbours in runs of Chinese characters, a lone character, words of Latin letters and digits."""
    found: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        if run[0] < "\u3400" or len(run) == 1:
            found.append(run)
        else:
            found += [run[n : n + 2] for n in range(len(run) - 1)]
    return found


def bm25(texts: Sequence[str], queries: Sequence[str], cut: Cut) -> Float[np.ndarray, "Q N"]:
    """`scores_QxN` of BM25 in Lucene's form (Robertson and Zaragoza 2009, The Probabilistic Relevance Framework).

    A term's weight is log(1 + (N - n + .5) / (n + .5)), n the number of texts that have it. bm25s gives the same scores
    with the method "lucene".
    """
    counts = [collections.Counter(cut(text)) for text in texts]
    lengths_N = np.array([count.total() for count in counts], np.float64)
    columns = {term: n for n, term in enumerate(sorted(set().union(*counts)))}
    counted_NxT = np.zeros((len(texts), len(columns)))
    for row, count in enumerate(counts):
        for term, times in count.items():
            counted_NxT[row, columns[term]] = times
    texts_T = (counted_NxT > 0).sum(0)
    weight_T = np.log1p((len(texts) - texts_T + 0.5) / (texts_T + 0.5))
    room_N = _K1 * (1 - _B + _B * lengths_N / lengths_N.mean())
    scored_NxT = weight_T * counted_NxT / (counted_NxT + room_N[:, None])
    asked_QxT = np.zeros((len(queries), len(columns)))
    for row, query in enumerate(queries):
        for term in cut(query):
            if term in columns:
                asked_QxT[row, columns[term]] += 1
    return asked_QxT @ scored_NxT.T


def cosines(texts: Sequence[str], queries: Sequence[str], encoder: Encoder) -> Float[np.ndarray, "Q N"]:
    """`scores_QxN`: one plus the cosines of an encoder's vectors, so that everything is found."""
    return 1.0 + encoder.encode(queries, role="query") @ encoder.encode(texts).T
