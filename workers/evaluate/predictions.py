"""Predictions of an evaluation as a file that others can score."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], *, errors: str = "strict") -> None:
    """Write the rows as CSV, gzipped if the name ends in .gz: the same rows always give the same bytes.

    `errors` says what becomes of a character that UTF-8 does not have, as in `str.encode`.
    """
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(header)
    lines.writerows(rows)
    content = text.getvalue().encode("utf-8", errors)
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
