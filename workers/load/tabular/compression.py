"""Opens a file as bytes, whatever it is packed with: the first bytes say, not the name."""

from __future__ import annotations

import gzip
import sys
import zlib
from pathlib import Path
from typing import IO, cast

from workers.load.errors import FileError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ERRORS = (OSError, EOFError, zlib.error, zstd.ZstdError)
"""What reading a broken or cut file raises."""

_PARQUET = b"PAR1"
_NOT_TEXT = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV",
    b"%PDF": "a PDF: export the table as CSV",
    b"BZh9": "packed by bzip2: unpack it, or pack it by gzip or zstd",
    b"\xfd7zX": "packed by xz: unpack it, or pack it by gzip or zstd",
}


def is_parquet(path: Path) -> bool:
    """Return whether the file is Parquet, by its first bytes."""
    return _start(path) == _PARQUET


def opened(path: Path) -> IO[bytes]:
    """Return the file's bytes, unpacked, as a stream. Raises `FileError` for what is no text."""
    start = _start(path)
    if start in _NOT_TEXT:
        raise FileError(f"{path} is {_NOT_TEXT[start]}")
    if start.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(path, "rb"))
    if start == b"\x28\xb5\x2f\xfd":
        return cast(IO[bytes], zstd.open(path, "rb"))
    return path.open("rb")


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)
