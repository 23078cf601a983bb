"""Runs of letters of a script that is written without spaces, or whose words are often glued: what they are found by.

Two neighbouring letters each (grams), so that a word is found wherever it stands in a longer one. Thai is also cut into
words, by BudouX: most of its words have two or three letters, which as grams would be found inside of others, too.
"""

from __future__ import annotations

import functools
import itertools
import re
from typing import NamedTuple

import budoux

from model.text import folding, scripts

PATTERN = f"(?P<run>{'|'.join(f'[{letters}]+' for letters in scripts.RUNS)})"

LONGEST = 400
"""Characters that are cut into words at once."""

_KANA, _HANGUL, _THAI = (re.compile(f"[{letters}]") for letters in (scripts.KANA, scripts.HANGUL, scripts.THAI))
_HAN = re.compile(f"[{scripts.HAN}]")
_LONG_VOWEL = "ー"
_SHORT_KANA = 2


class Run(NamedTuple):
    """A folded run: its words, its grams where there are other ones than its words, and for hangul its letters.

    `ending` is the last letter of hangul, as 컵 of 머그컵: what the thing is.
    """

    text: str
    words: tuple[str, ...]
    grams: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()
    ending: str = ""


def read(run: str, before: str, behind: str) -> Run:
    """What a run is found by; `before` and `behind` are the characters that it stands between, or empty."""
    if _KANA.match(run):
        return _kana(folding.fold(run), before, behind)
    if _THAI.match(run):
        return Run(run, _thai(run), tuple(f"~{gram}" for gram in _pairs(scripts.graphemes(run))))
    letters = scripts.graphemes(run)
    grams = _pairs(letters) if len(letters) > 2 else ()
    if _HANGUL.match(run):
        return Run(run, (run,), grams, tuple(letters) if len(letters) > 1 else (), letters[-1])
    return Run(run, (run,), grams)


def _kana(run: str, before: str, behind: str) -> Run:
    """A long vowel at the end is often left out; the little between Chinese characters is found with those."""
    if len(run) > 3:
        run = run.removesuffix(_LONG_VOWEL)
    if len(run) > _SHORT_KANA:
        return Run(run, (run,), _pairs(list(run)))
    grams = _pairs([*(c for c in before if _HAN.match(c)), *run, *(c for c in behind if _HAN.match(c))])
    if not grams or grams == (run,):
        return Run(run, (run,))
    return Run(run, (run,) if len(run) > 1 else (), grams)


def _thai(run: str) -> tuple[str, ...]:
    parts = (run[start : start + LONGEST] for start in range(0, len(run), LONGEST))
    return tuple(word for part in parts for word in _thai_parser().parse(part))


def _pairs(letters: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a + b for a, b in itertools.pairwise(letters)))


@functools.cache
def _thai_parser() -> budoux.Parser:
    return budoux.load_default_thai_parser()
