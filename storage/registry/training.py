"""What a training reads: all events as columns, all items as rows, and a lock for one training at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Engine, Row, String, bindparam, text

from storage import due, locks
from storage.bots import actors
from storage.catalogue.items import changed_since

EVENT_COLUMNS = ("shopper", "item_id", "kind", "at")
"""The columns of `events_csv`; `at` is in microseconds since 1970."""

_EXPORT_SNAPSHOT = text("SELECT pg_export_snapshot()")
# SET takes no parameters: the name is written into the statement, as a literal.
_TAKE_SNAPSHOT = text("SET TRANSACTION SNAPSHOT :name").bindparams(
    bindparam("name", type_=String, literal_execute=True)
)

# Events of the same moment are a basket, which has no order; the order of the ids would teach the model to predict the
# next id.
_EVENTS = sql.SQL(f"""
COPY (
    SELECT shopper, item_id, kind, CAST(extract(epoch FROM at) * 1000000 AS bigint) AS at FROM events
    WHERE item_id IS NOT NULL AND kind <> ALL({{without}}) AND {actors.counts("events")}
        AND ({{until}}::timestamptz IS NULL OR received_at <= {{until}})
    ORDER BY shopper, at, hashtextextended(event_id, 0), event_id
) TO STDOUT WITH (FORMAT csv, HEADER true)
""")

# `since` puts the shoppers who were active last first; rows are locked in the order in which intake locks them. Rows
# that are due because of events stay before those that are due because of another model.
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
    """Another training of this capability is running."""


@contextmanager
def snapshot(engine: Engine) -> Iterator[str]:
    """Yield the name of a snapshot of the tables; other transactions can read the same state by it, until this ends."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        yield connection.execute(_EXPORT_SNAPSHOT).scalar_one()


@contextmanager
def reading(engine: Engine, snapshot_name: str | None = None) -> Iterator[Connection]:
    """Yield a connection that sees one state of the tables: that of the snapshot, or the current one."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        if snapshot_name is not None:
            connection.execute(_TAKE_SNAPSHOT, {"name": snapshot_name})
        yield connection


def events_csv(
    connection: Connection, *, without_kinds: Collection[str] = due.QUIET_KINDS, until: datetime | None = None
) -> Iterator[bytes | memoryview]:
    """Yield the events that name an item, except `without_kinds`, as chunks of one CSV with a header.

    Events of flagged bots are left out. With `until`, only those received by then: the same at each call, unless a
    shopper is flagged meanwhile. They are sorted by shopper and event time; events of the same moment come in an order
    that is always the same and carries no information.
    """
    query = _EVENTS.format(without=sql.Literal(list(without_kinds)), until=sql.Literal(until))
    psycopg_connection: Any = connection.connection
    with psycopg_connection.cursor() as cursor, cursor.copy(query) as copy:
        yield from copy


def items(connection: Connection) -> Sequence[Row[Any]]:
    """Return the whole catalogue by item id, including items that are not available, since histories name them."""
    # Sorted, because every process of a distributed training has to number the items alike.
    return sorted(changed_since(connection, 0).rows, key=lambda row: str(row.item_id))


def mark_shoppers(connection: Connection) -> int:
    """Mark due every shopper with an event that changes a shelf, the last active first; return how many.

    They are due `later`, for the new model (`due.postpone`).
    """
    return connection.execute(_MARK_SHOPPERS, {"without": list(due.QUIET_KINDS)}).rowcount


def mark_items(connection: Connection) -> int:
    """Mark every item due `later`, for the new model; return how many."""
    return connection.execute(_MARK_ITEMS).rowcount


@contextmanager
def exclusive(engine: Engine, capability: str) -> Iterator[None]:
    """Hold the lock for training a capability; it is released also when this process dies. Raises `TrainingRuns`."""
    with locks.tried(engine, f"reshelf.train.{capability}") as is_held:
        if not is_held:
            raise TrainingRuns(f"a training of {capability} runs already; wait for it to end, then try again")
        yield
