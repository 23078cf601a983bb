"""Engines: how the processes reach PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from storage import arrays

# A connection returned less than this long ago is not tested: if it broke since, its next user gets the error.
_TRUSTED_SECONDS = 1.0
_OPTIONS = "-c timezone=UTC"
# Unless PGAPPNAME says which process it is, as `reshelf worker` does.
_APPLICATION = "reshelf"


def url_for(database_url: str, driver: str) -> URL:
    """Return `database_url` (postgresql://…) with the driver named, `psycopg` or `asyncpg`."""
    return make_url(database_url).set(drivername=f"postgresql+{driver}")


@contextmanager
def pipelined(connection: Connection) -> Iterator[None]:
    """Send the statements of the block without waiting for each result; none of them may return rows.

    An error of any of them is raised at the end of the block, as an error of psycopg.
    """
    driver: Any = connection.connection.driver_connection
    with driver.pipeline():
        yield


def connect(database_url: str, *, pool_size: int = 4, durable: bool = True) -> Engine:
    """Return an engine whose sessions use UTC and replace dead connections before use.

    Unless `durable`, a commit does not wait for the disk: the last commits may be lost when the server crashes.
    """
    arrays.install()
    options = _OPTIONS if durable else f"{_OPTIONS} -c synchronous_commit=off"
    made = create_engine(
        url_for(database_url, "psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        hide_parameters=True,  # what is bound are people's orders and events, and errors are logged
        connect_args={
            "options": options,
            "fallback_application_name": _APPLICATION,
            "connect_timeout": 10,
            "keepalives_idle": 30,
        },
    )
    _test_rested(made)
    return made


def _test_rested(made: Engine) -> None:
    """Test a connection before it is handed out, unless it was returned a moment ago: a test costs a round trip."""

    def note(_: Any, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    def test(connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
        if time.monotonic() - record.info.get("used_at", float("-inf")) < _TRUSTED_SECONDS:
            return
        try:
            made.dialect.do_ping(connection)
        except made.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("the connection is gone") from error

    event.listen(made, "checkin", note)
    event.listen(made, "checkout", test)
