"""Shelves, transitions, and flagged shoppers."""

from __future__ import annotations

from sqlalchemy import ARRAY, REAL, BigInteger, Boolean, Column, Integer, Table, Text, func, text

from storage.tables.base import metadata, time

# One ranked shelf per row, best item first: the numbers of its items, and their scores. `through` is the time of the
# last event that it reflects. `because_…` name, for the first items, the event of the owner's history that moved each
# most: NULL elements if none did, and NULL if the shelf is not explained (yet). `counted_by` is the version that was
# live, and so counted the events up to `through`; in an experiment another one may have ranked. NULL on surfaces that
# count nothing.
rankings = Table(
    "rankings",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("surface", Text, primary_key=True),
    Column("item_nos", ARRAY(Integer), nullable=False),
    Column("scores", ARRAY(REAL), nullable=False),
    Column("model_version", Text, nullable=False),
    time("generated_at", nullable=False, server_default=func.now()),
    time("through"),
    Column("mark", BigInteger, nullable=False, server_default=text("0")),
    Column("because_nos", ARRAY(Integer)),
    Column("because_kinds", ARRAY(Text)),
    Column("counted_by", Text),
)

# How often `to_item` followed `from_item` since the training of the live version, weighted by distance and kind.
transitions = Table(
    "transitions",
    metadata,
    Column("from_item", Text, primary_key=True),
    Column("to_item", Text, primary_key=True),
    Column("count", REAL, nullable=False),
    Column("changed_xid", BigInteger, nullable=False),
)

# Shoppers who are or were flagged; while `flagged`, their events count only for their own shelf. `changes` grows when
# they are flagged or cleared. The detector does not flag a cleared one for the same `reasons` before `spared_until`.
actors = Table(
    "actors",
    metadata,
    Column("shopper", Text, primary_key=True),
    Column("flagged", Boolean, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("detail", Text, nullable=False),
    Column("flagged_by", Text, nullable=False),
    time("flagged_at", nullable=False, server_default=func.now()),
    Column("cleared_by", Text),
    time("cleared_at"),
    time("spared_until"),
    Column("changes", BigInteger, nullable=False, server_default=text("1")),
)
