"""Item embeddings in pgvector: what the live model makes of each item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, text
from sqlalchemy.dialects.postgresql import insert

from storage.tables import item_vectors

_KNOWN = text("SELECT item_id FROM item_vectors WHERE model_version = :version AND item_id = ANY(:item_ids)")


def known(connection: Connection, version: str, item_ids: Sequence[str]) -> set[str]:
    """Return which of the items have a vector of this model version."""
    parameters = {"version": version, "item_ids": list(item_ids)}
    return set(connection.execute(_KNOWN, parameters).scalars())


def write(connection: Connection, version: str, vectors: dict[str, Any]) -> None:
    """Write vectors (item id to float32 array of the model's dimension)."""
    if not vectors:
        return
    statement = insert(item_vectors)
    statement = statement.on_conflict_do_update(
        index_elements=["model_version", "item_id"], set_={"embedding": statement.excluded.embedding}
    )
    rows = [
        {"model_version": version, "item_id": item_id, "embedding": vectors[item_id]} for item_id in sorted(vectors)
    ]
    connection.execute(statement, rows)


def forget_other_versions(connection: Connection, versions: Sequence[str]) -> int:
    """Delete the vectors of every version but these; return how many."""
    return connection.execute(delete(item_vectors).where(item_vectors.c.model_version.notin_(versions))).rowcount
