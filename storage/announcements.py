"""Announcements: what was just answered, told to the requests that wait for it.

A request that needs a worker writes what it asks, marked due, rings, and waits until the worker announces the answer in
the transaction that writes it. An announcement may be lost: the answer stands in its row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, text

CHANNEL = "reshelf_answers"

_NOTIFY = text("SELECT pg_notify(:channel, name) FROM unnest(CAST(:names AS text[])) AS name")


def announce(connection: Connection, kind: str, keys: Sequence[str]) -> None:
    """Tell whoever listens, once this transaction commits, that these keys of a due kind are answered."""
    if keys:
        connection.execute(_NOTIFY, {"channel": CHANNEL, "names": [name(kind, key) for key in keys]})


def name(kind: str, key: str) -> str:
    """Return what an answer is announced as: short, whatever the key is, since Postgres carries 8,000 bytes at most."""
    # Half a surrogate pair in a key that came from JSON has no other encoding.
    return f"{kind}:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
