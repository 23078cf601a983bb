"""Runs of three letters or digits inside words, which different spellings of a word still share."""

from __future__ import annotations

import itertools
import re

from model.text import folding, normalise, scripts, tokens

BUCKETS = 65_535
"""Trigrams are hashed to 1..`BUCKETS`."""

_ASCII_WORD = re.compile("[a-z0-9]+")


def hashed(text: str) -> list[int]:
    """The distinct hashed trigrams of a text's folded words, a space before and behind each word, in reading order.

    Chinese words have none: three characters are longer than most of them, and the analyser gives their parts.
    """
    clean = normalise.clean(text)
    read = _ASCII_WORD.findall(clean) if clean.isascii() else scripts.words().findall(folding.fold(clean))
    words = (f" {word} " for word in read)
    found = itertools.chain.from_iterable((word[i : i + 3] for i in range(len(word) - 2)) for word in words)
    return [tokens.bucket(trigram, buckets=BUCKETS) for trigram in dict.fromkeys(found)]
