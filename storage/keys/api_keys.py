"""API keys: a row for each secret that was ever made. A secret itself is nowhere, only its SHA-256."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

_COLUMNS = "key_id, name, owner, scopes, rate, daily, created_at, created_by, expires_at, revoked_at, last_used_at"
_VALID = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"

# For asyncpg. Every gateway process reads this every second: the table is small, and usually in memory.
ACTIVE = f"""
SELECT k.key_id, k.name, k.scopes, k.digest, k.rate, k.daily, k.expires_at, coalesce(u.requests, 0) AS used
FROM api_keys AS k LEFT JOIN api_key_usage AS u ON u.name = k.name AND u.day = CAST(now() AT TIME ZONE 'UTC' AS date)
WHERE {_VALID}
"""
# For asyncpg: $1 the ids of keys that were used.
USED = """
UPDATE api_keys SET last_used_at = now()
WHERE key_id = ANY($1) AND (last_used_at IS NULL OR last_used_at < now() - interval '50 seconds')
"""
# For asyncpg: $1 names, $2 requests of each since the last time.
COUNT = """
INSERT INTO api_key_usage AS u (name, day, requests)
SELECT name, CAST(now() AT TIME ZONE 'UTC' AS date), requests
FROM unnest($1::text[], $2::bigint[]) AS g (name, requests)
ORDER BY name
ON CONFLICT (name, day) DO UPDATE SET requests = u.requests + excluded.requests
"""

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('api_keys'))")
_EVERY = text(f"SELECT {_COLUMNS} FROM api_keys ORDER BY created_at DESC, key_id")
_FIND = text(
    f"SELECT {_COLUMNS} FROM api_keys WHERE key_id = :reference OR name = :reference ORDER BY created_at DESC, key_id"
)
_VALID_OF = text(f"SELECT {_COLUMNS} FROM api_keys WHERE name = :name AND {_VALID} ORDER BY created_at")
_KNOWN = text("SELECT 1 FROM api_keys WHERE digest = :digest")
_WRITE = text("""
INSERT INTO api_keys (key_id, name, owner, scopes, digest, rate, daily, created_by, expires_at)
VALUES (:key_id, :name, :owner, :scopes, :digest, :rate, :daily, :created_by, :expires_at)
""")
_EXPIRE = text("UPDATE api_keys SET expires_at = least(expires_at, :at) WHERE key_id = :key_id")
_REVOKE = text(
    "UPDATE api_keys SET revoked_at = clock_timestamp() WHERE key_id = :key_id AND revoked_at IS NULL RETURNING key_id"
)
_FORGET_USAGE = text("DELETE FROM api_key_usage WHERE day < CAST(now() AS date) - 90")


def lock(connection: Connection) -> None:
    """Let only one transaction at a time change keys, so that a name stays one key's."""
    connection.execute(_LOCK)


def every(connection: Connection) -> Sequence[Row[Any]]:
    """Return all keys, the newest first, without digests."""
    return connection.execute(_EVERY).all()


def find(connection: Connection, reference: str) -> Sequence[Row[Any]]:
    """Return the keys of this id or name, the newest first."""
    return connection.execute(_FIND, {"reference": reference}).all()


def valid(connection: Connection, name: str) -> Sequence[Row[Any]]:
    """Return the keys of this name that are neither revoked nor expired, the oldest first."""
    return connection.execute(_VALID_OF, {"name": name}).all()


def is_known(connection: Connection, digest: bytes) -> bool:
    """Return whether a key, valid or not, has this digest."""
    return connection.execute(_KNOWN, {"digest": digest}).scalar() is not None


def write(connection: Connection, **columns: Any) -> None:
    """Add a key; `columns` are those of the table but the times that it sets itself."""
    connection.execute(_WRITE, columns)


def expire(connection: Connection, key_id: str, at: datetime) -> None:
    """Let a key expire at this time, or before if it was to."""
    connection.execute(_EXPIRE, {"key_id": key_id, "at": at})


def revoke(connection: Connection, key_id: str) -> bool:
    """Revoke a key; False if it was before."""
    return connection.execute(_REVOKE, {"key_id": key_id}).scalar() is not None


def forget_usage(connection: Connection) -> None:
    """Delete the counts of requests that are older than 90 days."""
    connection.execute(_FORGET_USAGE)
