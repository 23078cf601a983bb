"""Classes of characters, as the inside of a regular expression's class, and words and graphemes made of them."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterable

HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters."""

KANA = "\u3041-\u3096\u30a1-\u30fa\u30fc-\u30fe\u31f0-\u31ff"
HANGUL = "\u1100-\u11ff\uac00-\ud7a3"
THAI = "\u0e01-\u0e3a\u0e40-\u0e4e"
LAO = "\u0e81-\u0ece\u0edc-\u0edf"
KHMER = "\u1780-\u17d3\u17dd"
BURMESE = "\u1000-\u103f\u1050-\u108f\u109a-\u109d\uaa60-\uaa7f"

RUNS = (KANA, HANGUL, THAI, LAO, KHMER, BURMESE)
"""Scripts, beside Chinese, whose words are written without a space between them, or are often glued together."""

_LAST_WITH_MARKS = 0x1E95F  # no script with combining marks stands behind
_STACKED = "\u1039\u17d2"  # what stacks the next consonant under this one: Burmese and Khmer


@functools.cache
def marks() -> str:
    """The combining marks (categories Mn, Mc and Me): vowel signs, points and accents, which belong to a letter."""
    found = [code for code in range(0x300, _LAST_WITH_MARKS) if unicodedata.category(chr(code)).startswith("M")]
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in _ranges(found))


@functools.cache
def letter() -> str:
    """A pattern of one letter and its marks, in a script that writes words apart."""
    return rf"(?:[^\W\d_{HAN}{''.join(RUNS)}][{marks()}]*)"


@functools.cache
def alphanumeric() -> str:
    """A pattern of one letter and its marks, or a digit."""
    return rf"(?:[^\W_{HAN}{''.join(RUNS)}][{marks()}]*)"


@functools.cache
def words() -> re.Pattern[str]:
    """Whole words in any script but Chinese: a run of letters and digits with all their marks."""
    return re.compile(rf"(?:[^\W_{HAN}]|[{marks()}])+")


def graphemes(text: str) -> list[str]:
    """What a reader takes for the letters of a run: each with its marks, and with what is stacked under it."""
    return _grapheme().findall(text)


@functools.cache
def _grapheme() -> re.Pattern[str]:
    mark = f"[{marks()}]*"
    return re.compile(f".{mark}(?:(?<=[{_STACKED}]).{mark})*", re.DOTALL)


def _ranges(codes: Iterable[int]) -> Iterable[tuple[int, int]]:
    for _, group in itertools.groupby(enumerate(codes), lambda pair: pair[1] - pair[0]):
        run = [code for _, code in group]
        yield run[0], run[-1]
