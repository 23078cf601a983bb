"""Associated words, learnt from judged or clicked queries: "drapes" finds titles with "curtain"."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, UInt32, UInt64

NAMES = ("told", "told_last", "told_all")
"""How much more often than by chance words of the query found words of the title.

The mean over the query's words, each with its best word of the title; only the query's last word; and the mean over all
pairs.
"""

_SHRINK = 3.0  # gain at which an association counts half
_SPARSE = 2.0  # prior gain of every word
_UPPER = np.uint64(32)


class Associations(NamedTuple):
    """Pairs of hashed words and their association, 0 or more.

    A key has the query word's hash in its upper 32 bits and the title word's in the lower; keys ascend.
    """

    keys_P: UInt64[np.ndarray, " P"]
    told_P: Float32[np.ndarray, " P"]


class Right(NamedTuple):
    """One query's hashed words, the hashed title words of each of its relevant items, and those items' gains."""

    words_W: UInt32[np.ndarray, " W"]
    titles: Sequence[UInt32[np.ndarray, " T"]]
    gains: Sequence[float]


def hashed(words: Iterable[str]) -> UInt32[np.ndarray, " W"]:
    """The distinct words as stable numbers above 0 (CRC-32), in order."""
    numbers = (zlib.crc32(word.encode("utf-8", "surrogatepass")) or 1 for word in dict.fromkeys(words))
    return np.fromiter(numbers, np.uint32)


def learn(rights: Sequence[Right]) -> Associations:
    """Positive pointwise mutual information of query words and title words, shrunk if they are rarely seen together.

    Church and Hanks 1990, "Word association norms, mutual information, and lexicography"; as translation of titles to
    queries, Berger and Lafferty 1999, "Information retrieval as statistical translation", SIGIR.
    """
    pairs, words, titles, totals = [], [], [], 0.0
    for right in rights:
        for title_T, gain in zip(right.titles, right.gains, strict=True):
            words_W = right.words_W.astype(np.uint64)
            pairs.append(((words_W[:, None] << _UPPER | title_T.astype(np.uint64)).ravel(), gain))
            words.append((words_W, gain))
            titles.append((title_T.astype(np.uint64), gain))
            totals += gain
    if not pairs:
        return Associations(np.zeros(0, np.uint64), np.zeros(0, np.float32))
    keys_P, seen_P = _summed(pairs)
    word_W, of_word_W = _summed(words)
    title_T, of_title_T = _summed(titles)
    given_P = seen_P / (of_word_W[np.searchsorted(word_W, keys_P >> _UPPER)] + _SPARSE)
    by_chance_P = (of_title_T[np.searchsorted(title_T, keys_P & np.uint64(2**32 - 1))] + 1) / totals
    told_P = np.log(np.maximum(given_P / by_chance_P, 1.0)) * seen_P / (seen_P + _SHRINK)
    return Associations(keys_P[told_P > 0], told_P[told_P > 0].astype(np.float32))


def compute(
    learnt: Associations, words_W: UInt32[np.ndarray, " W"], titles_KxT: UInt32[np.ndarray, "K T"]
) -> dict[str, np.ndarray | float]:
    """The features of `NAMES` for titles of hashed words, 0 for padding."""
    if not len(words_W) or not len(learnt.keys_P):
        return dict.fromkeys(NAMES, 0.0)
    told_WxKxT = np.stack([_told(learnt, int(word), titles_KxT) for word in words_W])
    best_WxK = told_WxKxT.max(2)
    return {"told": best_WxK.mean(0), "told_last": best_WxK[-1], "told_all": told_WxKxT.mean((0, 2))}


def _told(learnt: Associations, word: int, titles_KxT: UInt32[np.ndarray, "K T"]) -> Float32[np.ndarray, "K T"]:
    first, end = np.searchsorted(learnt.keys_P, np.array([word << 32, (word << 32) + 2**32 - 1], np.uint64))
    if first == end:
        return np.zeros(titles_KxT.shape, np.float32)
    others, told = learnt.keys_P[first:end].astype(np.uint32), learnt.told_P[first:end]
    at_KxT = np.minimum(np.searchsorted(others, titles_KxT), len(others) - 1)
    return np.where(others[at_KxT] == titles_KxT, told[at_KxT], np.float32(0))


def _summed(parts: Sequence[tuple[np.ndarray, float]]) -> tuple[np.ndarray, Float[np.ndarray, " P"]]:
    keys = np.concatenate([keys for keys, _ in parts])
    gains = np.repeat([gain for _, gain in parts], [len(keys) for keys, _ in parts])
    distinct, inverse = np.unique(keys, return_inverse=True)
    return distinct, np.bincount(inverse, gains)
