"""What training reads: all events as columns, all items as rows, and a lock that lets one training run at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Engine, Row, String, bindparam, text

from storage import due
from storage.bots import actors
from storage.catalogue.items import changed_since

EVENT_COLUMNS = ("shopper", "item_id", "kind", "at")
"""The columns of `events_csv`; `at` is in microseconds since 1970."""

_EXPORT_SNAPSHOT = text("SELECT pg_export_snapshot()")
# SET takes no parameters: the name is written into the statement, as a literal.
_TAKE_SNAPSHOT = text("SET TRANSACTION SNAPSHOT :name").bindparams(
    bindparam("name", type_=String, literal_execute=True)
)

# Events of one moment are a basket, which has no order: that of the ids would teach the model to predict the next id.
_EVENTS = sql.SQL(f"""
COPY (
    SELECT shopper, item_id, kind, CAST(extract(epoch FROM at) * 1000000 AS bigint) AS at FROM events
    WHERE item_id IS NOT NULL AND kind <> ALL({{without}}) AND {actors.counts("events")}
        AND ({{until}}::timestamptz IS NULL OR received_at <= {{until}})
    ORDER BY shopper, at, hashtextextended(event_id, 0), event_id
) TO STDOUT WITH (FORMAT csv, HEADER true)
""")

_TRY_LOCK = text("SELECT pg_try_advisory_lock(hashtext(:name))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtext(:name))")

# `since` puts whoever was active last first in the line; the rows are taken in the order in which intake takes them.
# What is due already for what happened to it stays before those that are due for another model's sake.
_MARK_SHOPPERS = text("""
INSERT INTO due (kind, key, since, later)
SELECT 'shopper', shopper, now() + place * interval '1 microsecond', true FROM (
    SELECT shopper, row_number() OVER (ORDER BY max(at) DESC, shopper) AS place
    FROM events WHERE kind <> ALL(:without) GROUP BY shopper
) AS recent ORDER BY shopper
ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL
""")

_MARK_ITEMS = text("""
INSERT INTO due (kind, key, later) SELECT 'item', item_id, true FROM items ORDER BY item_id
ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL
""")


class TrainingRuns(RuntimeError):
    """Another training of this capability runs already."""


@contextmanager
def snapshot(engine: Engine) -> Iterator[str]:
    """Yield the name of what the tables hold now; others can read the same by it, until this ends."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        yield connection.execute(_EXPORT_SNAPSHOT).scalar_one()


@contextmanager
def reading(engine: Engine, snapshot_name: str | None = None) -> Iterator[Connection]:
    """Yield a connection that sees one state of the tables: that of the snapshot, or that of now."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        if snapshot_name is not None:
            connection.execute(_TAKE_SNAPSHOT, {"name": snapshot_name})
        yield connection


def events_csv(
    connection: Connection, *, without_kinds: Collection[str] = due.QUIET_KINDS, until: datetime | None = None
) -> Iterator[bytes | memoryview]:
    """Yield the events that name an item, but for `without_kinds`, as pieces of one CSV with a header.

    Those of flagged actors are left out. With `until`, only those that had come in by then: the same at each call,
    whatever happens meanwhile, unless somebody is flagged. They come by shopper and event time; events of one moment
    in an order that is always the same and means nothing.
    """
    query = _EVENTS.format(without=sql.Literal(list(without_kinds)), until=sql.Literal(until))
    psycopg_connection: Any = connection.connection
    with psycopg_connection.cursor() as cursor, cursor.copy(query) as copy:
        yield from copy


def items(connection: Connection) -> Sequence[Row[Any]]:
    """Return the whole catalogue by item id, items that cannot be had included: histories name them."""
    # Sorted, because every process of a group has to number the items alike.
    return sorted(changed_since(connection, 0).rows, key=lambda row: str(row.item_id))


def mark_shoppers(connection: Connection) -> int:
    """Mark every shopper with an event that moves a shelf due, the one active last first; return how many.

    They can wait for the model that is to rank them (`due.postpone`).
    """
    return connection.execute(_MARK_SHOPPERS, {"without": list(due.QUIET_KINDS)}).rowcount


def mark_items(connection: Connection) -> int:
    """Mark every item due, to be done when the model is there; return how many."""
    return connection.execute(_MARK_ITEMS).rowcount


@contextmanager
def exclusive(engine: Engine, capability: str) -> Iterator[None]:
    """Hold the one place to train a capability; it is freed also when this process dies. Raises `TrainingRuns`."""
    name = f"reshelf.train.{capability}"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(_TRY_LOCK, {"name": name}).scalar_one():
            raise TrainingRuns(f"a training of {capability} runs already; wait for it to end, then try again")
        try:
            yield
        finally:
            connection.execute(_UNLOCK, {"name": name})
