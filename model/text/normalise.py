"""Raw text to one plain form: entities, width, case, script and quotation marks no longer matter; accents still do."""

from __future__ import annotations

import functools
import html
import re
import sys
import unicodedata

import opencc

from model.text import scripts

HAN = scripts.HAN
"""Chinese characters, as the inside of a regular expression's class."""

LONGEST = 10_000
"""Most characters that are read; later ones are left out."""

_ENTITY = re.compile("&#?[0-9a-zA-Z]{1,31};")  # with its semicolon: "Black&notebook" holds none
_HAN = re.compile(f"[{HAN}]")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "′": "'", "`": "'", "“": '"', "”": '"', "″": '"', "×": "x", "⁄": "/"})
_ALIKE = {"ʼ": "'", "׳": "'", "״": '"', "٫": ".", "٬": ","} | dict.fromkeys("‐‑‒–—―−", "-")
_VULGAR = re.compile("([\u00bc-\u00be\u2150-\u215e])")
# Soft hyphens, joiners, marks of direction, selectors of a variant, and the line that stretches an Arabic word.
_INVISIBLE = re.compile(r"[\u00ad\u0640\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")
_TRADE = re.compile("[™℠]")  # which would become letters
_BROKEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_WITHIN = re.compile('(?<=[א-ת])"(?=[א-ת])|(?<=l)·(?=l)')  # מ"ל, col·lecció
_TIMES = re.compile(r"(?<=\d)( ?)[хχ](?= ?\d)")  # the letters of Russian and Greek that look like an x
_DOUBLED = re.compile(r"([\u0e33\u0eb3])|([\u0e4d\u0ecd])([\u0e48-\u0e4b\u0ec8-\u0ecb]?)([\u0e32\u0eb2])|\u0e40\u0e40")


def clean(text: str) -> str:
    """The text as it is read: NFKC, lower case, simplified Chinese, plain digits and quotes, no control characters.

    HTML entities are resolved, since shops store titles with them. Never raises for any `str`; only the first `LONGEST`
    characters are read. Traditional characters are converted by OpenCC's phrases.
    """
    text = text[:LONGEST]
    if text.isascii():
        return _BROKEN.sub(" ", _resolved(text)).lower().translate(_QUOTES)
    plain = _resolved(_BROKEN.sub(" ", text))
    text = unicodedata.normalize("NFKC", _VULGAR.sub(r" \1", _TRADE.sub(" ", plain)))
    text = _BROKEN.sub(" ", _INVISIBLE.sub("", text)).lower().translate(_QUOTES).replace("''", '"')
    if _HAN.search(text):
        text = _simplifier().convert(text)
    return text if text.isascii() else _in_one_spelling(text)


def _resolved(text: str) -> str:
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text


def _in_one_spelling(text: str) -> str:
    """The same with what Unicode holds for different, but every reader for the same."""
    text = _WITHIN.sub("", text.translate(_same()))
    text = _TIMES.sub(r"\1x", text)
    return _DOUBLED.sub(_thai, text)


def _thai(match: re.Match[str]) -> str:
    """The vowel am behind its tone mark, in one piece, and ae for two e: as most keyboards and eyes take them."""
    if match[0] == "\u0e40\u0e40":
        return "\u0e41"
    if match[1]:
        return match[1]
    return match[3] + ("\u0e33" if match[4] == "\u0e32" else "\u0eb3")


@functools.cache
def _same() -> dict[int, str]:
    codes = (code for code in range(0x80, sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Nd")
    return {code: str(unicodedata.decimal(chr(code))) for code in codes} | str.maketrans(_ALIKE)


@functools.cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
