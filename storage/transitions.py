"""Transitions: how often one item followed another since the live model was trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, text

from storage import horizon
from storage.tables import transitions

# Rows are taken in the order of their keys, so that two workers wait for each other and never both.
_ADD = text("""
INSERT INTO transitions AS t (from_item, to_item, count, changed_xid)
SELECT from_item, to_item, count, CAST(CAST(pg_current_xact_id() AS text) AS bigint)
FROM unnest(CAST(:from_items AS text[]), CAST(:to_items AS text[]), CAST(:counts AS real[]))
    AS new(from_item, to_item, count)
ORDER BY from_item, to_item
ON CONFLICT (from_item, to_item) DO UPDATE SET count = t.count + excluded.count, changed_xid = excluded.changed_xid
""")

_COLUMNS = (transitions.c.from_item, transitions.c.to_item, transitions.c.count)


@dataclass(frozen=True)
class Changes:
    """Pairs whose count changed (item before, item after, the whole count, so that one may come twice), and the
    horizon to ask from next time.
    """

    rows: list[tuple[str, str, float]]
    horizon: int


def add(connection: Connection, pairs: Mapping[tuple[str, str], float]) -> None:
    """Add to the counts of these pairs: the item before, the item after."""
    if pairs:
        parameters = {
            "from_items": [before for before, _ in pairs],
            "to_items": [after for _, after in pairs],
            "counts": list(pairs.values()),
        }
        connection.execute(_ADD, parameters)


def changed_since(connection: Connection, since: int) -> Changes:
    """Return the pairs counted since that horizon (0: all of them)."""
    following = horizon.following(connection)
    rows = connection.execute(select(*_COLUMNS).where(transitions.c.changed_xid >= since))
    return Changes([(before, after, count) for before, after, count in rows], following)


def clear(connection: Connection) -> None:
    """Forget all counts: the model that serves from now on has its own."""
    connection.execute(delete(transitions))
