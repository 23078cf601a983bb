"""Runs of three characters inside words: what two spellings of a word still share."""

from __future__ import annotations

import itertools
import re

from model.text import normalise, tokens

BUCKETS = 65_535
"""Trigrams are hashed to 1..`BUCKETS`."""

_WORD = re.compile(r"[^\W_]+")


def of(text: str) -> list[int]:
    """The distinct hashed trigrams of the words of a text, a space before and behind each word, in reading order."""
    words = (f" {word} " for word in _WORD.findall(normalise.clean(text)))
    found = itertools.chain.from_iterable((word[i : i + 3] for i in range(len(word) - 2)) for word in words)
    return [tokens.bucket(trigram, buckets=BUCKETS) for trigram in dict.fromkeys(found)]
