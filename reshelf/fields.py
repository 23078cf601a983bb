"""Field types that several messages share, and the one form of an id."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import msgspec

MOST_CHARACTERS = 128
# NUL is the one character that a Postgres text cannot hold; the rest of the control range only ever comes from a bug.
ID_PATTERN = r"^[^\x00-\x1f\x7f]+$"

# A message checks the pattern itself, in `unify`: msgspec's check takes twice as long as the rest of an event.
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_CHARACTERS, extra_json_schema={"pattern": ID_PATTERN})]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_CHARACTERS, pattern=ID_PATTERN)]
"""The same for a type that does not call `unify`."""
Time = Annotated[datetime, msgspec.Meta(tz=True)]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Joiners (U+200C, U+200D) are not among them: Persian, Indic scripts and emoji mean something by them.
_INVISIBLE = re.compile("[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+")
_WIDTHS = re.compile("[\u3000\uff01-\uff9f]+")


def identity(text: str) -> str:
    """Return the one form of an id: composed (NFC), without white space around it and what nobody sees in it.

    Full-width letters and digits become plain ones, half-width kana become whole ones. Case is kept, as is every other
    compatibility character (`²`, `ﬁ`), so `a` and `A` are two ids. Nothing is left of a text of spaces.
    """
    if text.isascii():
        return text.strip()
    text = _WIDTHS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), _INVISIBLE.sub("", text))
    return unicodedata.normalize("NFC", text).strip()


def composed(text: str) -> str:
    """Return a text in which letters and their accents are one character (NFC), for what is compared but not an id."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def unify(message: Any, ids: Iterable[str]) -> None:
    """Bring fields of a message that is being made into the one form of an id. None stays.

    Raises `ValueError`, naming the field, where one is no id.
    """
    for name in ids:
        text = getattr(message, name)
        # Nearly every id ends here, which is why it is written for speed.
        if text is None or (text.isascii() and text.isprintable() and " " not in text):
            continue
        msgspec.structs.force_setattr(message, name, checked(text, name))


def checked(text: str, field: str) -> str:
    """Return the one form of an id. Raises `ValueError`, naming the field, where it is none."""
    found = identity(text)
    if not found:
        raise ValueError(f"Expected `str` of length >= 1 - at `$.{field}`")
    if len(found) > MOST_CHARACTERS:
        raise ValueError(f"Expected `str` of length <= {MOST_CHARACTERS} - at `$.{field}`")
    if _CONTROL.search(found):
        raise ValueError(f"Expected `str` matching regex {ID_PATTERN!r} - at `$.{field}`")
    return found
