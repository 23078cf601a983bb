"""Export: everything that is stored of a person, as one JSON object, in pieces of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection

from storage.json import ascii_text
from storage.privacy import finding, stores
from storage.privacy.names import Names
from workers.privacy import letters

_ROWS_AT_ONCE = 500


class Export:
    """Reads what is stored of a person, by the forms of their id. Use it within one transaction."""

    def __init__(self, connection: Connection, people: Sequence[str]) -> None:
        self._pieces = _pieces(connection, finding.names(connection, list(people)), people[0])

    def next_piece(self) -> bytes:
        """Return the next piece of the JSON object; empty at its end."""
        return next(self._pieces, b"")


def _pieces(connection: Connection, names: Names, user_id: str) -> Iterator[bytes]:
    yield f'{{"user_id": {ascii_text(user_id)}, "sessions": {ascii_text(names.sessions)}, "tables": {{'.encode()
    separator = ""
    for table, rows in _tables(connection, names):
        first = next(rows, None)
        if first is None:
            continue
        yield f"{separator}\n{ascii_text(table)}: [".encode()
        separator = ","
        yield from _listed(chain([first], rows))
        yield b"]"
    yield b"}}\n"


def _tables(connection: Connection, names: Names) -> Iterator[tuple[str, Iterator[Mapping[str, Any]]]]:
    for store in stores.ALL:
        yield store.table, iter(stores.rows(connection, store, names))
    yield stores.LETTERS, letters.of(connection, names)


def _listed(rows: Iterator[Mapping[str, Any]]) -> Iterator[bytes]:
    separator = ""
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        yield (separator + ",\n".join(map(ascii_text, some))).encode()
        separator = ",\n"
