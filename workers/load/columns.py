"""Names of columns: `Item_ID`, ` item id ` and `itemId` are one, and of two columns that mean the same one is taken."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

Accepted = Mapping[str, Sequence[str]]
"""For each column of ours, the names that it may have in a file, the best first."""


def plain(name: str) -> str:
    """Return a name as it is compared: letters and digits alone, in small letters."""
    return "".join(char for char in unicodedata.normalize("NFKC", name).casefold() if char.isalnum())


def cleaned(name: str) -> str:
    """Return a name as it is shown: without byte order mark, white space and quotes around it."""
    return name.strip("\ufeff \t\r\n\xa0").strip("\"'").strip()


def known(header: Iterable[str], accepted: Accepted) -> set[str]:
    """Return which of our columns a file has."""
    there = {plain(name) for name in header}
    return {ours for ours, names in accepted.items() if any(plain(name) in there for name in names)}


def places(header: Sequence[str], accepted: Accepted) -> dict[str, list[int]]:
    """Return where in the header each of our columns stands, the best name first; ours that are absent are left out."""
    at: dict[str, list[int]] = {}
    for place, name in enumerate(header):
        at.setdefault(plain(name), []).append(place)
    found = {ours: [place for name in names for place in at.get(plain(name), ())] for ours, names in accepted.items()}
    return {ours: list(dict.fromkeys(there)) for ours, there in found.items() if there}
