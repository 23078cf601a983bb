"""Dead letters: what could not be taken or computed, kept with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select

from storage.json import ascii_text
from storage.tables import dead_letters


@dataclass(frozen=True)
class DeadLetter:
    """One dead letter. `source` is the door or the due kind it comes from; `payload` any JSON value."""

    source: str
    error: str
    key: str | None = None
    field: str | None = None
    payload: Any = None
    attempts: int = 1


def add(connection: Connection, letters: Sequence[DeadLetter]) -> None:
    """Keep the letters."""
    if letters:
        connection.execute(insert(dead_letters), [_row(letter) for letter in letters])


def count(connection: Connection) -> dict[str, int]:
    """Return how many dead letters there are, by source."""
    query = select(dead_letters.c.source, func.count()).group_by(dead_letters.c.source)
    return {source: n for source, n in connection.execute(query)}


def _row(letter: DeadLetter) -> dict[str, Any]:
    return {
        "source": letter.source,
        "key": _printable(letter.key),
        "field": _printable(letter.field),
        "error": _printable(letter.error),
        "payload": ascii_text(letter.payload),
        "attempts": letter.attempts,
    }


def _printable(value: str | None) -> str | None:
    """Return the text without what a Postgres text cannot hold."""
    return None if value is None else value.replace("\x00", "�").encode("utf-8", "replace").decode()
