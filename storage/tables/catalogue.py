"""Items, and their vectors by the live model."""

from __future__ import annotations

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Computed, Double, Identity, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from storage.tables.base import metadata, time

_AVAILABLE = "title IS NOT NULL AND deleted_at IS NULL AND coalesce(stock, 1) > 0"
_WORDS = "item_words(title, brand, category, text)"

# The catalogue. `stamps` has, per field, the change that set it last; `words` are searched by the lexical search.
items = Table(
    "items",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("item_no", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("title", Text),
    Column("text", Text, nullable=False, server_default=""),
    Column("category", Text),
    Column("brand", Text),
    Column("price", Double),
    Column("currency", Text),
    Column("stock", BigInteger),
    Column("attributes", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("tags", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("image_url", Text),
    time("announced_at"),
    time("deleted_at"),
    Column("stamps", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("available", Boolean, Computed(_AVAILABLE, persisted=True), nullable=False),
    Column("changed_xid", BigInteger, nullable=False),
    Column("words", TSVECTOR, Computed(_WORDS, persisted=True), nullable=False),
)

item_vectors = Table(
    "item_vectors",
    metadata,
    Column("model_version", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("embedding", VECTOR, nullable=False),
)
