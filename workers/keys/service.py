"""Make, rotate and revoke API keys, each with its line in the audit trail.

KeyChangeError             the change cannot be made
├── NameTaken              another valid key has this name
├── NoSuchKey              no key of this id or name
├── NotValid               the key is revoked or expired
└── AlreadyRotated         two keys of this name are valid
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from storage.keys import api_keys, audit
from storage.keys.audit import Actor
from workers.keys import secret
from workers.keys.wanted import Wanted

OVERLAP = timedelta(hours=24)
"""How long the old key stays valid after a rotation."""


class KeyChangeError(ValueError):
    """The change cannot be made; the message says why, and what to do."""


class NameTaken(KeyChangeError):
    """Another valid key has this name."""


class NoSuchKey(KeyChangeError):
    """There is no key of this id or name."""


class NotValid(KeyChangeError):
    """The key is revoked or expired."""


class AlreadyRotated(KeyChangeError):
    """Two keys of this name are valid already."""


@dataclass(frozen=True)
class Made:
    """A new key and its text, which is stored nowhere."""

    key_id: str
    text: str


def make(connection: Connection, wanted: Wanted, by: Actor) -> Made:
    """Make a key. Raises `NameTaken`."""
    api_keys.lock(connection)
    if api_keys.valid(connection, wanted.name):
        raise NameTaken(f"a valid key has the name {wanted.name!r}: rotate it, revoke it, or take another name")
    made = _write(connection, wanted, by)
    limits = {"rate": wanted.rate, "daily": wanted.daily, "expires_at": _text(wanted.expires_at)}
    detail = {"key_id": made.key_id, "scopes": sorted(wanted.scopes), "owner": wanted.owner, **limits}
    audit.record(connection, by, "key made", wanted.name, detail)
    return made


def rotate(connection: Connection, reference: str, by: Actor, *, overlap: timedelta = OVERLAP) -> Made:
    """Make another key of the same name and scopes; the old one stays valid for `overlap`.

    A key that was to expire gets a new one with as long a life. Raises `NoSuchKey`, `NotValid` and `AlreadyRotated`.
    """
    api_keys.lock(connection)
    old = _one(connection, reference)
    valid = api_keys.valid(connection, old.name)
    if old.key_id not in {row.key_id for row in valid}:
        raise NotValid(f"key {old.key_id} ({old.name}) is revoked or expired: make a new one")
    if len(valid) > 1:
        raise AlreadyRotated(f"two keys of the name {old.name!r} are valid: revoke the older one first")
    now = datetime.now(UTC)
    expires_at = None if old.expires_at is None else now + (old.expires_at - old.created_at)
    limits = {"rate": old.rate, "daily": old.daily}
    made = _write(
        connection, Wanted(name=old.name, scopes=old.scopes, owner=old.owner, expires_at=expires_at, **limits), by
    )
    api_keys.expire(connection, old.key_id, now + overlap)
    detail = {"key_id": made.key_id, "replaces": old.key_id, "valid_until": _text(now + overlap)}
    audit.record(connection, by, "key rotated", old.name, detail)
    return made


def revoke(connection: Connection, reference: str, by: Actor) -> list[str]:
    """Revoke the key of this id, or all valid ones of this name; return the ids. Again changes nothing.

    Raises `NoSuchKey`.
    """
    api_keys.lock(connection)
    found = api_keys.find(connection, reference)
    if not found:
        raise _none(reference)
    revoked = [row for row in found if api_keys.revoke(connection, row.key_id)]
    for row in revoked:
        audit.record(connection, by, "key revoked", row.name, {"key_id": row.key_id})
    return [row.key_id for row in revoked]


def _write(connection: Connection, wanted: Wanted, by: Actor) -> Made:
    key_id, text = secret.make()
    api_keys.write(
        connection,
        key_id=key_id,
        digest=secret.digest(text),
        created_by=by.name,
        **{name: getattr(wanted, name) for name in ("name", "owner", "scopes", "expires_at", "rate", "daily")},
    )
    return Made(key_id, text)


def _one(connection: Connection, reference: str) -> Row[Any]:
    """Return the key of this id, or the newest of this name. Raises `NoSuchKey`."""
    found = api_keys.find(connection, reference)
    if not found:
        raise _none(reference)
    return found[0]


def _none(reference: str) -> NoSuchKey:
    return NoSuchKey(f"there is no key {reference!r}: `reshelf keys list` shows them")


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
