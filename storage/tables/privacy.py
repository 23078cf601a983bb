"""Erasures: who was erased, by digests alone, and how far each erasure is."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, LargeBinary, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import metadata, time

# One row for each erasure. `sealed` has the ids that it deletes, encrypted, and is NULL once it is done. `deleted` has
# the number of rows deleted, by table.
erasures = Table(
    "erasures",
    metadata,
    Column("receipt", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("sealed", LargeBinary),
    Column("deleted", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    time("asked_at", nullable=False, server_default=func.now()),
    time("done_at"),
)

# Digests of what names erased people: ids of users, sessions and orders. Rows are only added, one transaction at a
# time, so that `no` grows in the order of the commits. `secret_id` says by which secret a digest was made.
erased_names = Table(
    "erased_names",
    metadata,
    Column("no", BigInteger, Identity(always=True), primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("secret_id", Text, nullable=False),
)
