"""Folding: spellings of one word that a shopper does not tell apart become one, by tables made from Unicode's.

`jalapeño` is `jalapeno`, `Straße` is `strasse`, `smørrebrød` is `smorrebrod`, `أحمد` is `احمد`, `मोबाईल` is `मोबाइल`,
`けーぶる` is `ケーブル`. The exact spelling is a term beside, so that it comes first (`model.text.analyser`).
"""

from __future__ import annotations

import functools
import re
import unicodedata

_LETTERS = {
    "ß": "ss", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "æ": "ae", "œ": "oe", "ħ": "h", "ŧ": "t",
    "ı": "i", "ŋ": "n", "ĸ": "k", "ə": "e", "ƒ": "f", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ɛ": "e", "ɔ": "o",
    "ʻ": "", "ʾ": "", "ʿ": "",
    "ς": "σ",
    "ґ": "г", "ғ": "г", "қ": "к", "ң": "н", "ө": "о", "ұ": "у", "ү": "у", "һ": "х", "ә": "а", "җ": "ж",
}  # fmt: skip
_HEBREW = {"ך": "כ", "ם": "מ", "ן": "נ", "ף": "פ", "ץ": "צ"}
# Teh marbuta is heh, alef maksura is yeh, and letters of Persian and Urdu keyboards are those of Arabic.
_ARABIC = {
    "ٱ": "ا", "ة": "ه", "ۃ": "ه", "ہ": "ه", "ە": "ه", "ھ": "ه", "ى": "ي", "ی": "ي", "ې": "ي", "ے": "ي",
    "ک": "ك", "ڪ": "ك", "ڤ": "ف",
}  # fmt: skip
# Long and short i and u, and vowels of loanwords, as most people mix them (Larkey et al. 2003, "Hindi CLIR in thirty
# days", ACM TALIP 2); dead consonants that have a letter of their own.
_INDIC = {
    "ँ": "ं", "ई": "इ", "ऊ": "उ", "ी": "ि", "ू": "ु", "ऑ": "ओ", "ऒ": "ओ", "ॉ": "ो", "ॊ": "ो", "ऍ": "ए", "ऎ": "ए",
    "ॅ": "े", "ॆ": "े", "ઁ": "ં", "ঁ": "ং", "ৎ": "ত্",
    "ൺ": "ണ്", "ൻ": "ന്", "ർ": "ര്", "ൽ": "ല്", "ൾ": "ള്", "ൿ": "ക്",
}  # fmt: skip
_KANA = {chr(code): chr(code + 0x60) for code in range(0x3041, 0x3097)} | {"ゝ": "ヽ", "ゞ": "ヾ"}
_TABLE = str.maketrans(_LETTERS | _HEBREW | _ARABIC | _INDIC | _KANA)

# Accents of Latin, Greek and Cyrillic, but for the breve of й and ў, which are letters; points of Hebrew and Arabic;
# the dot under a letter of the Indic scripts.
_MARKS = re.compile(
    "[\u0300-\u0305\u0307-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]|(?<![иу])\u0306"
    "|[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]"
    "|[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]"
    "|[\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc]"
)
_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})

# A nasal before a consonant of its own row is written as itself or as the dot above: हिन्दी, हिंदी. The blocks of these
# scripts are laid out alike: five rows of five consonants, the last of each row its nasal.
_PARALLEL_BLOCKS = (0x0900, 0x0980, 0x0A80, 0x0C00, 0x0C80)
_VIRAMA, _DOT, _ROWS = 0x4D, 0x02, (0x15, 0x1A, 0x1F, 0x24, 0x2A)


def _nasals(block: int) -> str:
    starts = [block + row for row in _ROWS]
    rows = (f"{chr(start + 4)}{chr(block + _VIRAMA)}(?=[{chr(start)}-{chr(start + 3)}])" for start in starts)
    return "|".join(rows)


_NASALS = tuple((re.compile(_nasals(block)), chr(block + _DOT)) for block in _PARALLEL_BLOCKS)
_INDIC_LETTER = re.compile("[\u0900-\u0dff]")


@functools.lru_cache(maxsize=1 << 16)
def fold(word: str) -> str:
    """The folded form of a word, or a text, in the form of `normalise.clean`; the same again for what is folded.

    Case is not touched. What is ASCII stays as it is.
    """
    if word.isascii():
        return word
    folded = _MARKS.sub("", unicodedata.normalize("NFD", word.translate(_TABLE)))
    folded = unicodedata.normalize("NFC", folded.translate(_TABLE))
    return _without_nasals(folded) if _INDIC_LETTER.search(folded) else folded


def digraphs(word: str) -> str | None:
    """The word with its umlauts written out, folded: `mueller` for `müller`; None for a word that has none."""
    written = unicodedata.normalize("NFC", word).translate(_DIGRAPHS)
    return fold(written) if written != word else None


def _without_nasals(word: str) -> str:
    for pattern, dot in _NASALS:
        word = pattern.sub(dot, word)
    return word
