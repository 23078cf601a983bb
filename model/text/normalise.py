"""Raw text to one plain form: entities, width, case, script and quotation marks no longer matter."""

from __future__ import annotations

import functools
import html
import re
import unicodedata

import opencc

HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters, as the inside of a regular expression's class."""

LONGEST = 10_000
"""Characters that are read; what stands behind them is left out."""

_HAN = re.compile(f"[{HAN}]")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "′": "'", "`": "'", "“": '"', "”": '"', "″": '"', "×": "x", "⁄": "/"})
_VULGAR = re.compile("([\u00bc-\u00be\u2150-\u215e])")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]")
_BROKEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")


def clean(text: str) -> str:
    """The text as it is read: NFKC, lower case, simplified Chinese, straight quotes, no control characters.

    HTML entities are resolved, since shops store titles with them. Never raises for any `str`; what stands behind the
    first `LONGEST` characters is left out. Traditional characters are turned by OpenCC's phrases.
    """
    text = text[:LONGEST]
    if text.isascii():
        return _BROKEN.sub(" ", html.unescape(text) if "&" in text else text).lower().translate(_QUOTES)
    text = unicodedata.normalize("NFKC", _VULGAR.sub(r" \1", html.unescape(_BROKEN.sub(" ", text))))
    text = _BROKEN.sub(" ", _INVISIBLE.sub("", text)).lower().translate(_QUOTES).replace("''", '"')
    return _simplifier().convert(text) if _HAN.search(text) else text


@functools.cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
