"""Receipts of erasures: begun, worked on, and done."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.json import ascii_text
from storage.privacy import finding
from storage.privacy.names import Names, Secret

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('erased_names'))")
_OTHER_SECRET = text("SELECT 1 FROM erased_names WHERE secret_id <> :secret_id LIMIT 1")
_OPEN_OF = text("SELECT receipt FROM erasures WHERE digest = :digest AND done_at IS NULL")
_WRITE = text("INSERT INTO erasures (receipt, digest, sealed) VALUES (:receipt, :digest, :sealed)")
_REMEMBER = text("""
INSERT INTO erased_names (digest, secret_id) SELECT digest, :secret_id FROM unnest(CAST(:digests AS bytea[])) AS digest
ON CONFLICT (digest) DO NOTHING
""")
_SEALED = text("SELECT sealed FROM erasures WHERE receipt = :receipt FOR UPDATE")
_SEAL = text("UPDATE erasures SET sealed = :sealed WHERE receipt = :receipt")
_COUNT = text("""
UPDATE erasures SET deleted = deleted || (
    SELECT coalesce(jsonb_object_agg(key, coalesce(CAST(deleted->>key AS bigint), 0) + CAST(value AS bigint)), '{}')
    FROM jsonb_each_text(CAST(:counts AS jsonb)))
WHERE receipt = :receipt
""")
_DONE = text("UPDATE erasures SET done_at = now(), sealed = NULL WHERE receipt = :receipt AND done_at IS NULL")
_OPEN = text("SELECT receipt FROM erasures WHERE done_at IS NULL ORDER BY asked_at, receipt")
_READ = text("SELECT receipt, asked_at, done_at, deleted FROM erasures WHERE receipt = :receipt")

_RECEIPT_BYTES = 12


class OtherSecret(ValueError):
    """The secret is not the one by which others were erased before."""


def begin(connection: Connection, secret: Secret, people: Sequence[str]) -> str:
    """Begin to erase a person by the forms of their id, the first of them the shop's; return the receipt.

    From the commit on, what comes of them is dropped. If their erasure runs already, its receipt is returned. Raises
    `OtherSecret`.
    """
    connection.execute(_LOCK)
    if connection.execute(_OTHER_SECRET, {"secret_id": secret.id}).scalar() is not None:
        raise OtherSecret(
            "others were erased with another secret, who would no longer be recognised: set RESHELF_PRIVACY_SECRET, or "
            "the file privacy-secret of the home folder, as it was then"
        )
    digest = secret.digest(people[0])
    running: str | None = connection.execute(_OPEN_OF, {"digest": digest}).scalar()
    if running is not None:
        return running
    receipt = f"erasure-{secrets.token_hex(_RECEIPT_BYTES)}"
    names = finding.names(connection, list(people))
    connection.execute(_WRITE, {"receipt": receipt, "digest": digest, "sealed": secret.seal(names)})
    _remember(connection, secret, names)
    return receipt


def look_again(connection: Connection, secret: Secret, receipt: str) -> tuple[Names, bool] | None:
    """Return the names of the person, with what came since, and whether anything did; None if the erasure is done."""
    connection.execute(_LOCK)
    sealed = connection.execute(_SEALED, {"receipt": receipt}).scalar()
    if sealed is None:
        return None
    known = secret.open(bytes(sealed))
    names = known.joined(finding.names(connection, known.people))
    if names == known:
        return known, False
    connection.execute(_SEAL, {"receipt": receipt, "sealed": secret.seal(names)})
    _remember(connection, secret, names)
    return names, True


def count(connection: Connection, receipt: str, counts: Mapping[str, int]) -> None:
    """Add numbers of deleted rows by table, in the transaction that deletes them."""
    connection.execute(_COUNT, {"receipt": receipt, "counts": ascii_text(dict(counts))})


def finish(connection: Connection, receipt: str) -> None:
    """Say that it is done, and delete the sealed names."""
    connection.execute(_DONE, {"receipt": receipt})


def running(connection: Connection) -> list[str]:
    """Return the receipts of erasures that are not done, the oldest first."""
    return list(connection.execute(_OPEN).scalars())


def read(connection: Connection, receipt: str) -> Row[Any] | None:
    """Return `receipt`, `asked_at`, `done_at` and `deleted`; None if there is no such receipt."""
    return connection.execute(_READ, {"receipt": receipt}).one_or_none()


def _remember(connection: Connection, secret: Secret, names: Names) -> None:
    connection.execute(_REMEMBER, {"digests": secret.digests(names), "secret_id": secret.id})
