"""API keys, their use, and the audit trail."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Column, Date, Double, Identity, LargeBinary, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import metadata, time

# A row for each secret. Those of one name are one key that was rotated; two of them are valid for a while.
api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("rate", Double),
    Column("daily", BigInteger),
    time("created_at", nullable=False, server_default=func.now()),
    Column("created_by", Text, nullable=False),
    time("expires_at"),
    time("revoked_at"),
    time("last_used_at"),
)

# Requests of keys with a daily quota, by day of UTC.
api_key_usage = Table(
    "api_key_usage",
    metadata,
    Column("name", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("requests", BigInteger, nullable=False),
)

# Rows are only added: a trigger refuses the rest.
audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    time("at", nullable=False, server_default=func.now()),
    Column("actor", Text, nullable=False),
    Column("key_id", Text),
    Column("via", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
)
