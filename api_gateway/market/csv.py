"""Rows as CSV that a spreadsheet can open: no cell of it is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

MEDIA_TYPE = "text/csv"

# A spreadsheet takes a text that begins so as a formula, and may send data away with it (OWASP, CSV Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def encode(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return the rows as UTF-8 with a header; a list is one cell, its numbers separated by spaces."""
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow(header)
    lines.writerows([[cell(value) for value in row] for row in rows])
    return text.getvalue().encode()


def cell(value: Any) -> str:
    """Return a value as a cell. A text that would be a formula begins with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) or value.startswith("'") else value
    if isinstance(value, date):
        return value.isoformat()
    return " ".join(map(repr, value)) if isinstance(value, list) else repr(value)
