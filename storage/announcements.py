"""Announcements: what was just answered, told to the requests that wait for it.

A request that needs a worker writes what it asks, marked due, rings, and waits until the worker announces the answer in
the transaction that writes it. A short answer may come with it, which saves a read. An announcement may be lost: the
answer stands in its row.
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
    """Tell whoever listens, once this transaction commits, that these keys of a due kind are answered.

    `said` has answers by key, as the rows that were written have them; those that are too long are not sent.
    """
    if keys:
        told = [_payload(name(kind, key), "" if said is None else said.get(key, "")) for key in keys]
        connection.execute(_NOTIFY, {"channel": CHANNEL, "told": ascii_text(told)})


def heard(payload: str) -> tuple[str, str]:
    """Return the name that was announced, and the answer, empty where it has to be read."""
    announced, _, said = payload.partition(" ")
    return announced, said


def name(kind: str, key: str) -> str:
    """Return what an answer is announced as: short, whatever the key is, since Postgres carries 8,000 bytes at most."""
    # Half a surrogate pair in a key that came from JSON has no other encoding.
    return f"{kind}:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _payload(announced: str, said: str) -> str:
    told = f"{announced} {said}"
    return told if said and len(told.encode()) <= _MOST_BYTES else announced
