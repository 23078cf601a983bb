"""Events, traits, counts, and dead letters."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Computed, Double, Identity, Integer, Table, Text, func, text

from storage.tables.base import metadata, time

_BASKET = "CASE WHEN kind = 'purchase' THEN coalesce(session_id, shopper) END"

# Every event_id written so far. A unique index cannot span the partitions of `events` without their key.
event_ids = Table(
    "event_ids",
    metadata,
    Column("event_id", Text, primary_key=True),
    time("at", nullable=False),
)

# Events, partitioned by month of `at`. `rank` is the position, from 1, in the list that showed the item.
events = Table(
    "events",
    metadata,
    Column("event_id", Text, nullable=False),
    Column("shopper", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("item_id", Text),
    time("at", nullable=False),
    time("received_at", nullable=False, server_default=func.now()),
    Column("value", Double),
    Column("quantity", Double, nullable=False, server_default=text("1")),
    Column("session_id", Text),
    Column("surface", Text),
    Column("request_id", Text),
    Column("query", Text),
    Column("rank", Integer),
    Column("basket", Text, Computed(_BASKET, persisted=True)),
    postgresql_partition_by="RANGE (at)",
)

# Traits of shoppers: country, segment, referrer, …; the newest `at` wins.
shopper_traits = Table(
    "shopper_traits",
    metadata,
    Column("shopper", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    time("at", nullable=False),
)

change_ids = Table("change_ids", metadata, Column("change_id", Text, primary_key=True), time("at", nullable=False))

# Counts of what came in, updated in the transaction that wrote it; one row per writing process, so none waits.
intake_counts = Table(
    "intake_counts",
    metadata,
    Column("writer", Text, primary_key=True),
    Column("door", Text, primary_key=True),
    Column("written", BigInteger, nullable=False, server_default=text("0")),
    Column("duplicates", BigInteger, nullable=False, server_default=text("0")),
    Column("rejected", BigInteger, nullable=False, server_default=text("0")),
)

# Rows that could not be accepted or computed, with the reason. `payload` is JSON in ASCII.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("key", Text),
    Column("field", Text),
    Column("error", Text, nullable=False),
    Column("payload", Text),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    time("at", nullable=False, server_default=func.now()),
)
