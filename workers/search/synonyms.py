"""The shop's file of synonyms."""

from __future__ import annotations

from pathlib import Path

from model.text import synonyms as parser
from model.text.synonyms import Synonyms
from workers.load.errors import FileError


def read(path: Path | None) -> Synonyms:
    """Return a shop's synonyms; none without a file. Raises `FileError`, also for invalid lines."""
    if path is None:
        return Synonyms()
    try:
        found = parser.parse(path.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} cannot be read as UTF-8 text: {error}") from error
    if found.refused:
        raise FileError(f"{path}: {'; '.join(found.refused[:5])}")
    return found
