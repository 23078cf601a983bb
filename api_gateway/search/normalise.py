"""Normalise a query, so that two ways to write it are one query.

`storage.search.suggestions` does the same in SQL.
"""

from __future__ import annotations

import unicodedata


def text(typed: str) -> str:
    """Return the text in NFKC and lower case, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", typed).lower().split())
