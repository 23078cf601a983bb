"""One pass over a file's bytes: whether they are UTF-8, and the lines beyond ASCII that tell what they are instead."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path

from workers.load.tabular import compression

_PIECE = 1 << 20
_MOST_SAMPLE = 1 << 17
# Per piece of a megabyte: so the sample is drawn from all of a file of 16 MiB, and from the first lines that matter.
_MOST_OF_A_PIECE = 1 << 13
_MOST_OF_A_LINE = 1 << 12
_HEAD = 1 << 16
_LINE = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")
_REPLACEMENT = "\ufffd"


@dataclass
class Survey:
    """What was counted. `valid` and `invalid` are sequences of bytes beyond ASCII that are UTF-8, or are not."""

    head: bytes = b""
    length: int = 0
    valid: int = 0
    invalid: int = 0
    lines: int = 0
    sample: bytearray = field(default_factory=bytearray)
    """Lines with bytes beyond ASCII, from all over the file."""
    is_whole: bool = True
    """Whether the sample has all of them."""


def taken(path: Path) -> Survey:
    """Return the survey of a whole file. Memory does not grow with the file."""
    found = Survey()
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    with compression.opened(path) as stream:
        while piece := stream.read(_PIECE):
            if not found.length:
                found.head = piece[:_HEAD]
            found.length += len(piece)
            found.lines += max(piece.count(b"\n"), piece.count(b"\r"))
            _count(found, decoder.decode(piece), piece)
    _count(found, decoder.decode(b"", final=True), b"")
    return found


def _count(found: Survey, text: str, piece: bytes) -> None:
    # A U+FFFD of the file's own is told from a replacement by its bytes.
    replaced = text.count(_REPLACEMENT) - piece.count(b"\xef\xbf\xbd") if _REPLACEMENT in text else 0
    found.invalid += max(replaced, 0)
    if not text.isascii():
        found.valid += len(text) - len(text.encode("ascii", "ignore")) - max(replaced, 0)
    if not piece.isascii():
        found.is_whole &= _keep(found.sample, piece)


def _keep(sample: bytearray, piece: bytes) -> bool:
    """Add lines of a piece to the sample; return whether all of them fit."""
    kept = 0
    for line in _LINE.finditer(piece):
        if kept >= _MOST_OF_A_PIECE or len(sample) >= _MOST_SAMPLE:
            return False
        sample += line.group()[:_MOST_OF_A_LINE] + b"\n"
        kept += len(line.group())
    return True
