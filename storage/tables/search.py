"""Kept answers of searches, and suggestions."""

from __future__ import annotations

from sqlalchemy import ARRAY, REAL, BigInteger, Boolean, Column, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import metadata, time

# Search queries and their answers: `item_nos` is NULL until there is one. `question` is the query with its filters and
# shopper (`storage/search/queries.py`), `terms` are what the answer depends on: a change of an item that contains or
# contained one of them makes it stale. `horizon` is that of the catalogue at the time of the answer, `through` the
# shopper's last event that it reflects.
search_answers = Table(
    "search_answers",
    metadata,
    Column("key", Text, primary_key=True),
    Column("question", JSONB, nullable=False),
    Column("shopper", Text),
    Column("item_nos", ARRAY(BigInteger)),
    Column("scores", ARRAY(REAL)),
    Column("total", BigInteger, nullable=False, server_default=text("0")),
    Column("facets", JSONB(none_as_null=True)),
    Column("meant", Text),
    Column("source", Text),
    Column("why", JSONB(none_as_null=True)),
    Column("model_version", Text),
    Column("terms", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("horizon", BigInteger, nullable=False, server_default=text("0")),
    time("through"),
    Column("personal", Boolean, nullable=False, server_default=text("false")),
    time("generated_at"),
    time("stale_since"),
    Column("times", BigInteger, nullable=False, server_default=text("1")),
    time("asked_at", nullable=False, server_default=func.now()),
)

# Phrases that complete what is typed, by their normalised form: from the catalogue, and from others' searches.
suggestions = Table(
    "suggestions",
    metadata,
    Column("key", Text, primary_key=True),
    Column("phrase", Text, nullable=False),
    Column("weight", REAL, nullable=False),
)
