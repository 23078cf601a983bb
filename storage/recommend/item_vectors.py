"""Item embeddings in pgvector, by model version and item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, select, text

from storage.json import ascii_text
from storage.tables import item_vectors, live_models

# Per version, since the key of the table begins with it; there are only a few versions.
_KNOWN = text("""
SELECT DISTINCT v.item_id FROM model_versions AS m JOIN item_vectors AS v ON v.model_version = m.version
WHERE m.forgotten_at IS NULL AND v.item_id = ANY(:item_ids)
""")

_WRITE = text("""
INSERT INTO item_vectors (model_version, item_id, embedding)
SELECT :version, item_id, CAST(embedding AS vector)
FROM json_to_recordset(CAST(:rows AS json)) AS r(item_id text, embedding real[]) ORDER BY item_id
ON CONFLICT (model_version, item_id) DO UPDATE SET embedding = excluded.embedding
""")


_READ = text("""
SELECT item_id, vector_send(embedding) AS sent FROM item_vectors
WHERE model_version = :version AND item_id = ANY(:item_ids)
""")


def known(connection: Connection, item_ids: Sequence[str]) -> set[str]:
    """Return which of the items have a vector of any model version: those are not new to the shelves."""
    return set(connection.execute(_KNOWN, {"item_ids": list(item_ids)}).scalars())


def read(connection: Connection, version: str, item_ids: Sequence[str]) -> dict[str, bytes]:
    """Return a version's vectors of the items that have one: big-endian 32-bit floats."""
    rows = connection.execute(_READ, {"version": version, "item_ids": list(item_ids)})
    # pgvector sends the number of components and 16 unused bits before the components.
    return {row.item_id: bytes(row.sent)[4:] for row in rows}


def write(connection: Connection, version: str, vectors: Mapping[str, Sequence[float]]) -> None:
    """Write vectors: item id to components, in the model's dimension."""
    rows = [{"item_id": item_id, "embedding": vector} for item_id, vector in vectors.items()]
    connection.execute(_WRITE, {"version": version, "rows": ascii_text(rows)})


def forget_past_versions(connection: Connection) -> int:
    """Delete the vectors of every version that is not live; return how many."""
    live = select(live_models.c.version)
    return connection.execute(delete(item_vectors).where(item_vectors.c.model_version.not_in(live))).rowcount
