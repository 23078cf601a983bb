"""Announcements: tell the requests that wait for a worker that their answer has been written.

A request that needs a worker writes its question, marks it due, rings the doorbell, and waits. The worker announces the
answer (NOTIFY) in the transaction that writes it. A short answer travels with the announcement, which saves a read. An
announcement may be lost: the answer is in its row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from storage.json import ascii_text

CHANNEL = "reshelf_answers"

_NOTIFY = text("SELECT pg_notify(:channel, told) FROM json_array_elements_text(CAST(:told AS json)) AS told")
_MOST_BYTES = 7_900


def announce(connection: Connection, kind: str, keys: Sequence[str], said: Mapping[str, str] | None = None) -> None:
    """Notify the listeners, once this transaction commits, that these keys of a due kind are answered.

    `said` has the answers by key, as they are in the rows; answers that are too long for a notification are not sent.
    """
    if keys:
        told = [_payload(name(kind, key), "" if said is None else said.get(key, "")) for key in keys]
        connection.execute(_NOTIFY, {"channel": CHANNEL, "told": ascii_text(told)})


def heard(payload: str) -> tuple[str, str]:
    """Return the announced name, and the answer; the answer is empty if it has to be read from its row."""
    announced, _, said = payload.partition(" ")
    return announced, said


def name(kind: str, key: str) -> str:
    """Return the name under which an answer is announced: always short, as a notification has at most 8,000 bytes."""
    # A key that came from JSON may hold half a surrogate pair, which plain UTF-8 cannot encode.
    return f"{kind}:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _payload(announced: str, said: str) -> str:
    told = f"{announced} {said}"
    return told if said and len(told.encode()) <= _MOST_BYTES else announced
