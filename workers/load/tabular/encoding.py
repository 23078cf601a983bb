"""Which encoding a file is in, decided by evidence: a byte order mark, UTF-8 by its structure, else what it reads as.

A file is UTF-8 where at least three of four sequences beyond ASCII are: the others are damage, which costs their lines
alone. By chance, a text in another encoding has far fewer (one in seven for Chinese in GB18030). Where few lines of a
file have anything beyond ASCII, and that is too little to tell the encoding, they are damage too.
"""

from __future__ import annotations

import codecs
import unicodedata
from pathlib import Path
from typing import NamedTuple

from workers.load.errors import EncodingError, FileError
from workers.load.tabular import detector, survey
from workers.load.tabular.survey import Survey

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 (byte order mark)"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32 LE (byte order mark)"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32 BE (byte order mark)"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16 LE (byte order mark)"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16 BE (byte order mark)"),
)
_LEAST_VALID = 3
_ZEROS = 0.2
_FEW_LINES = 0.02
# So few characters, none of three bytes, may be UTF-8 by chance.
_FEW = 4


class Encoding(NamedTuple):
    """A codec of Python, and what to call it in a report."""

    codec: str
    label: str
    note: str | None = None


def decide(path: Path, asked: str | None = None) -> Encoding:
    """Return the file's encoding: `asked`, or what its bytes say. Raises `FileError`, `EncodingError`."""
    if asked is not None:
        return _known(asked)
    found = survey.taken(path)
    if not found.head.strip():
        raise FileError(f"{path} is empty: the first line should name the columns")
    return marked(found.head) or _by_zeros(path, found.head) or _by_content(path, found)


def marked(head: bytes) -> Encoding | None:
    """Return what a byte order mark says, if the file begins with one."""
    return next((Encoding(codec, label) for mark, codec, label in _MARKS if head.startswith(mark)), None)


def _known(asked: str) -> Encoding:
    try:
        codec = codecs.lookup(asked)
        b"".decode(asked)
    except LookupError as error:
        raise FileError(f"{asked!r} is no encoding: name one such as {', '.join(detector.CODECS)}") from error
    return Encoding("utf-8-sig" if codec.name == "utf-8" else codec.name, f"{asked} (as asked)")


def _by_zeros(path: Path, head: bytes) -> Encoding | None:
    """Return UTF-16 without a mark where every second byte of much of the text is zero. Raises `EncodingError`."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < _ZEROS * len(head) / 2:
        return None
    if min(even, odd):
        raise EncodingError(f"{path} holds many zero bytes and is no text; UTF-16 is told with --encoding utf-16-le")
    order = "be" if even else "le"
    return Encoding(f"utf-16-{order}", f"UTF-16 {order.upper()} (no byte order mark)")


def _by_content(path: Path, found: Survey) -> Encoding:
    if b"\x1b$" in found.head and not found.valid + found.invalid:
        return Encoding("iso2022_jp_2", "ISO-2022-JP")
    if found.valid >= _LEAST_VALID * found.invalid and not _is_chance(found):
        only = "" if found.valid else " (ASCII alone)"
        return Encoding("utf-8", f"UTF-8{only}")
    try:
        chosen = detector.detect(path, bytes(found.sample), may_be_utf8=found.valid > 0)
    except EncodingError as error:
        few = found.sample.count(b"\n")
        if not found.is_whole or few > _FEW_LINES * found.lines:
            raise
        return Encoding("utf-8", "UTF-8", f"what is not UTF-8, in {few:,} lines at most, was left out: {error}")
    return Encoding(chosen.codec, chosen.label)


def _is_chance(found: Survey) -> bool:
    """Return whether a few characters are UTF-8 in form only: there are none such, or marks without a letter."""
    if found.invalid or not 0 < found.valid <= _FEW:
        return False
    words = bytes(found.sample).decode("utf-8").split()
    return any(unicodedata.category(char) in ("Cn", "Co") for word in words for char in word) or any(
        unicodedata.category(word[0]) == "Mn" for word in words
    )
