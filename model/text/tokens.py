"""Text to tokens, and tokens to stable integers: words and numbers of any script, Chinese characters and bigrams."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Int32

from model.text import runs, scripts

_WORD = f"{scripts.alphanumeric()}+"
_RUN = re.compile(rf"(?P<han>[{scripts.HAN}]+)|{runs.PATTERN}|{_WORD}(?:'{_WORD})?")


def tokens(text: str) -> list[str]:
    """The tokens of `text` in reading order; never raises for any `str`.

    The text is NFKC-normalised and lower-cased. A run of letters, their marks and digits is one token; a run of
    Chinese characters gives each character and each pair of neighbours, which needs no dictionary and, in the
    comparisons of Nie et al. 1996 ("On Chinese text retrieval", SIGIR), retrieves about as well as words. Scripts
    whose words are not apart give their words and pairs of letters, as in search.
    """
    found: list[str] = []
    for match in _RUN.finditer(unicodedata.normalize("NFKC", text).lower()):
        if han := match["han"]:
            found.extend(han)
            found.extend(han[i : i + 2] for i in range(len(han) - 1))
        elif run := match["run"]:
            read = runs.read(run, "", "")
            found.extend((*read.words, *read.grams))
        else:
            found.append(match[0])
    return found


def bucket(token: str, *, buckets: int) -> int:
    """A stable integer in 1..`buckets` for one token (CRC-32); 0 is kept for padding."""
    return zlib.crc32(token.encode("utf-8", "surrogatepass")) % buckets + 1


def hash_tokens(texts: Sequence[str], *, width: int, buckets: int) -> Int32[np.ndarray, "N T"]:
    """`tokens_NxT` (T = `width`): each text's first `width` distinct tokens as integers in 1..`buckets`.

    0 is padding. The same text gives the same row in every process and on every machine.
    """
    return hash_lists((dict.fromkeys(tokens(text)) for text in texts), width=width, buckets=buckets)


def hash_lists(lists: Iterable[Iterable[str]], *, width: int, buckets: int) -> Int32[np.ndarray, "N T"]:
    """`labels_NxT` (T = `width`): whole labels, not split into words, as integers in 1..`buckets`; 0 is padding."""
    rows = [[bucket(label, buckets=buckets) for label, _ in zip(row, range(width), strict=False)] for row in lists]
    hashed_NxT = np.zeros((len(rows), width), np.int32)
    for i, row in enumerate(rows):
        hashed_NxT[i, : len(row)] = row
    return hashed_NxT
