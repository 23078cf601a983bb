"""The encoding of text that is not UTF-8: what `chardet` finds likely, held to what text looks like.

`chardet` scores every candidate by the pairs of bytes that languages have. Two scores are taken, one of whole lines and
one of the words beyond ASCII alone, which tell neighbours apart (é is one byte in Windows-1252 and another in Mac
Roman). A reading with words of mixed scripts, capitals inside words or symbols between letters loses; one with control
characters is none. The best has to beat the next by more, the less there is to go by; candidates that read the file
alike are one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import chardet

from workers.load.errors import EncodingError

_LABELS = {
    "gb18030": "GB18030",
    "big5hkscs": "Big5",
    "cp932": "Shift-JIS",
    "cp949": "EUC-KR",
    "euc_jis_2004": "EUC-JP",
    **{f"cp125{number}": f"Windows-125{number}" for number in range(9)},
    "cp874": "Windows-874",
    "koi8-r": "KOI8-R",
    "koi8-u": "KOI8-U",
    **{f"iso8859-{part}": f"ISO-8859-{part}" for part in (2, 5, 7, 9, 15)},
    "mac-roman": "Mac Roman",
    **{f"cp{page}": f"DOS code page {page}" for page in (437, 850, 852, 866)},
}
# As the systems that write such files decode them.
_CODECS = {"big5hkscs": "cp950", "euc_jis_2004": "euc_jp"}
CODECS = tuple(_CODECS.get(name, name) for name in _LABELS)
"""The encodings that are considered, as Python calls them."""

# By how frequent they are: what is rare on today's machines, and close to something frequent, has to be clearly better.
_WEIGHTS = {"cp1252": 1.3, "iso8859": 0.9, "mac": 0.9, "cp437": 0.9, "cp85": 0.9, "cp866": 0.9}
_TWO_BYTES = ("gb18030", "big5hkscs", "cp932", "cp949", "euc_jis_2004")
_MOST_WORDS = 30
_NOTHING = 1e-4
_LEAST_READABLE = 0.75
# The best's score over the next one's that is asked for, by how many bytes beyond ASCII its words have.
_LEAST_LEAD = ((5, 4.0), (10, 2.0), (25, 1.4), (50, 1.1))
_LEAST_LEAD_OF_MANY = 1.03
_MOST_ODD = 0.25
_LEAST_SCORE = 0.006
_BETWEEN_WORDS = re.compile(r"[\x00-@\[-`{-\x7f]+")
"""What is ASCII and no letter."""
_FREE_SCRIPTS = {
    "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH", "HANGUL", "MODIFIER",
    "MASCULINE", "FEMININE", "MICRO",
}  # fmt: skip


class Detected(NamedTuple):
    """An encoding: the codec, its name for people, how well it reads, and the words as read."""

    codec: str
    label: str
    score: float
    text: str


def detect(path: Path, sample: bytes, *, may_be_utf8: bool = False) -> Detected:
    """Return the encoding of lines beyond ASCII. Raises `EncodingError`, which names the candidates."""
    ranked = _distinct(_candidates(sample.splitlines()))
    high = sum(byte > 127 for byte in ranked[0].text.encode(ranked[0].codec)) if ranked else 0
    lead = next((lead for most, lead in _LEAST_LEAD if high < most), _LEAST_LEAD_OF_MANY)
    is_clear = bool(ranked) and (len(ranked) == 1 or ranked[0].score >= lead * ranked[1].score)
    if (
        not is_clear
        or ranked[0].score < _LEAST_SCORE
        or _oddness(ranked[0].text) > _MOST_ODD
        or (may_be_utf8 and high < _LEAST_LEAD[0][0])
    ):
        raise EncodingError(_thin(path, ranked, high, may_be_utf8=may_be_utf8))
    return ranked[0]


def is_odd(word: str) -> bool:
    """Return whether a word is none that people write: of two scripts, aBc, or with a symbol between letters."""
    kinds = [unicodedata.category(char) for char in word]
    pairs = zip(kinds, kinds[1:], word, word[1:], strict=False)
    if any(kind == "Ll" and after == "Lu" and not (a + b).isascii() for kind, after, a, b in pairs):
        return True
    scripts = {_script(char) for char, kind in zip(word, kinds, strict=True) if kind[0] == "L"}
    if len(scripts - _FREE_SCRIPTS) > 1 or {"HANGUL", "CJK"} <= scripts:
        return True
    inner = zip(kinds, kinds[1:], kinds[2:], word[1:], strict=False)
    if any(left[0] == right[0] == "L" and _is_symbol(char, kind) for left, kind, right, char in inner):
        return True
    return any("\u2500" <= char <= "\u259f" for char in word) and any(kind[0] == "L" for kind in kinds)


def _is_symbol(char: str, kind: str) -> bool:
    """Return whether a character beyond ASCII has no place between two letters."""
    is_accent_alone = "\u02c6" <= char <= "\u02dd"
    return not char.isascii() and (
        is_accent_alone or (kind[0] not in "LM" and kind not in ("Nd", "Pd") and char not in "’·‧・")
    )


def _candidates(lines: list[bytes]) -> list[Detected]:
    found = [one for name in _LABELS if (one := _candidate(name, lines)) is not None]
    return sorted(found, key=lambda one: -one.score)


def _candidate(name: str, lines: list[bytes]) -> Detected | None:
    """Return how well the lines read in one encoding; None where many of them cannot be in it."""
    codec = _CODECS.get(name, name)
    # chardet rules an encoding out for one damaged byte: it is asked about the lines that can be read.
    readable = [line for line in lines if _reads(line, codec)]
    if len(readable) < _LEAST_READABLE * len(lines):
        return None
    text = "\n".join(_words(line.decode(codec) for line in readable))
    share = len(readable) / len(lines)
    by_words = _by_words(text.encode(codec, "ignore"), name)
    by_lines = _scores(b"\n".join(readable)).get(name) or (by_words if name in _TWO_BYTES else _NOTHING)
    score = (by_words * by_lines) ** 0.5 * (1 - _oddness(text)) ** 2 * share**4
    weight = next((weight for start, weight in _WEIGHTS.items() if name.startswith(start)), 1.0)
    return Detected(codec, _LABELS[name], weight * score, text)


def _reads(line: bytes, codec: str) -> bool:
    try:
        return not any(map(_is_no_text, line.decode(codec)))
    except UnicodeDecodeError:
        return False


def _words(lines: Iterable[str]) -> list[str]:
    """Return the words beyond ASCII, each once: what is said twice is no more to go by."""
    words = (word for line in lines for word in _BETWEEN_WORDS.split(line) if not word.isascii())
    return list(dict.fromkeys(words))


def _by_words(words: bytes, name: str) -> float:
    """Return how well the words read together; or one by one, where chardet does not consider the encoding.

    It asks for four first bytes of characters, and text in kana alone has fewer.
    """
    together = _scores(words).get(name, 0.0)
    if together or name not in _TWO_BYTES:
        return together
    some = words.split(b"\n")[:_MOST_WORDS]
    return sum(_scores(word).get(name, 0.0) for word in some) / len(some)


@lru_cache(maxsize=64)
def _scores(text: bytes) -> dict[str, float]:
    found = chardet.detect_all(
        text or b"-", ignore_threshold=True, include_encodings=_LABELS, compat_names=False, max_bytes=len(text) or 1
    )
    return {str(one["encoding"]): one["confidence"] for one in found if one["encoding"] in _LABELS}


def _distinct(ranked: list[Detected]) -> list[Detected]:
    """Return the best of those that read the text alike."""
    seen: dict[str, Detected] = {}
    for one in ranked:
        seen.setdefault(one.text, one)
    return list(seen.values())


def _oddness(text: str) -> float:
    words = text.split()
    return sum(map(is_odd, words)) / max(len(words), 1)


def _is_no_text(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs") and char not in "\t\x00"


def _script(char: str) -> str:
    return unicodedata.name(char, "?").split()[0]


def _thin(path: Path, ranked: list[Detected], high: int, *, may_be_utf8: bool) -> str:
    if not ranked:
        return f"{path} is not UTF-8, nor text in another encoding that is known: {', '.join(CODECS)}"
    likely = [f"{one.codec} ({_example(one.text)})" for one in ranked[:4]]
    names = ", ".join([*likely, *(["utf-8"] if may_be_utf8 else [])])
    return (
        f"{path} is not UTF-8, and its {high:,} bytes beyond ASCII are too few or too odd to tell what it is: "
        f"say --encoding, one of {names}; or save the file as UTF-8"
    )


def _example(text: str) -> str:
    return next(iter(text.split()), "")[:20]
