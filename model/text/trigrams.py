"""Runs of three letters or digits inside words: what two spellings of a word still share."""

from __future__ import annotations

import itertools
import re

from model.text import normalise, tokens

BUCKETS = 65_535
"""Trigrams are hashed to 1..`BUCKETS`."""

_WORD = re.compile(rf"[^\W_{normalise.HAN}]+")


def hashed(text: str) -> list[int]:
    """The distinct hashed trigrams of a text's words, a space before and behind each word, in reading order.

    Chinese words have none: three characters are more than most of them have, and the analyser gives their parts.
    """
    words = (f" {word} " for word in _WORD.findall(normalise.clean(text)))
    found = itertools.chain.from_iterable((word[i : i + 3] for i in range(len(word) - 2)) for word in words)
    return [tokens.bucket(trigram, buckets=BUCKETS) for trigram in dict.fromkeys(found)]
