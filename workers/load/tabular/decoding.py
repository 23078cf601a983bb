"""A file as lines of text. A byte that its encoding does not know becomes a mark, so that it costs its line alone."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.load.errors import FileError
from workers.load.tabular import compression
from workers.load.tabular.encoding import Encoding

DAMAGE = "\ufdd0"
"""Stands where bytes could not be decoded: a code point that Unicode keeps free of characters."""

_DAMAGE_OF_BYTES = f"[{DAMAGE}\x80-\x9f\uf8f0-\uf8f3]"
"""In other encodings than Unicode's also control characters, and those that Shift-JIS has for bytes without meaning."""

_HANDLER = "reshelf-damage"


def damage(encoding: Encoding) -> str:
    """Return a regular expression for what stands in a text instead of a damaged character."""
    return DAMAGE if encoding.codec.startswith("utf") else _DAMAGE_OF_BYTES


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    # One byte at a time: an encoding with characters of several bytes may take a separator for the end of one.
    return DAMAGE, error.end if error.encoding.startswith("utf-16") else error.start + 1


codecs.register_error(_HANDLER, _mark)


@contextmanager
def opened(path: Path, encoding: Encoding, newline: str = "") -> Iterator[io.TextIOWrapper]:
    """Yield the file's text, its line ends as they are. Raises `FileError` where it is broken."""
    try:
        with (
            compression.opened(path) as raw,
            io.TextIOWrapper(raw, encoding.codec, errors=_HANDLER, newline=newline) as text,
        ):
            yield text
    except compression.ERRORS as error:
        raise FileError(f"{path} cannot be read: {error or type(error).__name__}") from error
