"""Dead letters and waiting messages that name a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from storage import due
from storage.privacy.names import Names
from workers.privacy import mentions
from workers.privacy.mentions import Known

_AT_ONCE = 1_000
_OF_SHOPPERS = (due.SHOPPER, due.REASON, due.ACTOR)

_NEXT = text("""
SELECT id, source, key, field, error, payload, attempts, at FROM dead_letters WHERE id > :after ORDER BY id LIMIT :most
""")
_DELETE = text("DELETE FROM dead_letters WHERE id = ANY(:ids)")


def of(connection: Connection, names: Names) -> Iterator[dict[str, Any]]:
    """Yield the dead letters that name the person, as dictionaries of their columns."""
    known, after = Known(names), 0
    while found := connection.execute(_NEXT, {"after": after, "most": _AT_ONCE}).all():
        yield from (dict(letter._mapping) for letter in found if _is_of(letter, known))
        after = found[-1].id


def delete(connection: Connection, names: Names) -> int:
    """Delete the dead letters that name the person; return how many."""
    ids = [letter["id"] for letter in of(connection, names)]
    if ids:
        connection.execute(_DELETE, {"ids": ids})
    return len(ids)


def _is_of(letter: Any, known: Known) -> bool:
    if letter.source in _OF_SHOPPERS:
        return known.has(letter.key)
    if letter.source == due.ORDER:
        return known.has_order(letter.key)
    return mentions.names(_payload(letter.payload), known)


def _payload(payload: str | None) -> Any:
    try:
        return None if payload is None else json.loads(payload)
    except (ValueError, RecursionError):
        return payload
