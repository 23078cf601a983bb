"""Due marks, and watermarks: what has to be computed again, and how far readers have come."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, Sequence, Table, Text, func, text

from storage.tables.base import metadata, time

due_marks = Sequence("due_marks", metadata=metadata)

# What has to be computed again. `mark` grows each time a key is marked. `later` says that only another model makes it
# due: it waits for that model, and for rows that are due because of events.
due = Table(
    "due",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("mark", BigInteger, nullable=False, server_default=due_marks.next_value()),
    time("since", nullable=False, server_default=func.now()),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    time("claimed_until"),
    Column("later", Boolean, nullable=False, server_default=text("false")),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
