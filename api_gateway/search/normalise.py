"""The plain form of what is typed, the same for two ways to write one query.

`storage.search.suggestions` makes it in SQL.
"""

from __future__ import annotations

import unicodedata


def text(typed: str) -> str:
    """Return the text in NFKC and lower case, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", typed).lower().split())
