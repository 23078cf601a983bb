"""Dead letters: rows that could not be accepted or computed, kept with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from storage.json import ascii_text
from storage.tables import dead_letters


@dataclass(frozen=True)
class DeadLetter:
    """One dead letter. `source` is the door or the due kind it comes from; `payload` is any JSON value."""

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


def newest(connection: Connection, *, source: str | None, most: int) -> Sequence[Row[Any]]:
    """Return up to `most` letters, the newest first; their `payload` is JSON as text."""
    query = select(dead_letters).order_by(dead_letters.c.id.desc()).limit(most)
    return connection.execute(query if source is None else query.where(dead_letters.c.source == source)).all()


def take(connection: Connection, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Return the letters of these ids that are there, and delete them, if the transaction commits."""
    query = delete(dead_letters).where(dead_letters.c.id.in_(ids)).returning(dead_letters)
    return sorted(connection.execute(query).all(), key=lambda letter: int(letter.id))


def _row(letter: DeadLetter) -> dict[str, Any]:
    return {
        "source": letter.source,
        "key": _printable(letter.key),
        "field": _printable(letter.field),
        "error": _printable(letter.error),
        "payload": _text(letter.payload),
        "attempts": letter.attempts,
    }


def _text(payload: Any) -> str:
    try:
        return ascii_text(payload)
    except RecursionError:
        return ascii_text("nested too deeply to be kept")


def _printable(value: str | None) -> str | None:
    """Return the text without the characters that a Postgres text cannot hold."""
    return None if value is None else value.replace("\x00", "�").encode("utf-8", "replace").decode()
