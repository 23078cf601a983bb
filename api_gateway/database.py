"""The gateway's connections to the database.

A raw asyncpg pool for the reads, one connection to listen on, and an engine for the doors.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from storage import engine

# asyncpg ships no types.
Pool: TypeAlias = Any
Connection: TypeAlias = Any

POOL_SIZE = 10
WRITERS = 4
"""Most transactions that the doors of one process have open at a time."""

_ACQUIRE_SECONDS = 2.0
_CONNECT_SECONDS = 3.0
_QUERY_SECONDS = 5.0
# A short query gains nothing from compilation, and one plan fits all parameters: index lookups in nested loops. Other
# plans are disabled, since a plan is kept as long as the connection: one that was made while the catalogue was empty
# would later read the whole catalogue for every item.
_READING = {
    "timezone": "UTC",
    "application_name": "reshelf-gateway",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
    # Only search queries, which can be asked again, and orders, which are flushed with their decision, are written.
    "synchronous_commit": "off",
}
_WRITING = "-c timezone=UTC -c application_name=reshelf-gateway -c statement_timeout=20s"

# The errors by which asyncpg shows that the server closed a connection; the last one if it did while a query was sent.
_CUT = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,
    ConnectionResetError,
)

R = TypeVar("R")


def pool(database_url: str) -> Pool:
    """Return a pool that connects on first use, so that the gateway starts without its database."""
    return asyncpg.create_pool(
        _dsn(database_url),
        min_size=0,
        max_size=POOL_SIZE,
        max_inactive_connection_lifetime=0,
        command_timeout=_QUERY_SECONDS,
        timeout=_CONNECT_SECONDS,
        server_settings=_READING,
        reset=_keep,
    )


async def connect(database_url: str) -> Connection:
    """Return a connection outside of the pool, to listen on. Raises asyncpg's errors and `OSError`."""
    return await asyncpg.connect(
        _dsn(database_url), command_timeout=_QUERY_SECONDS, timeout=_CONNECT_SECONDS, server_settings=_READING
    )


async def read(source: Pool, query: Callable[[Connection], Awaitable[R]]) -> R:
    """Return what `query` returns on a connection; if that connection was closed, on another one.

    Raises asyncpg's errors, `OSError` and `TimeoutError`.
    """
    # After a restart of the server, all connections of the pool are closed.
    for _ in range(POOL_SIZE):
        try:
            return await _read(source, query)
        except _CUT:
            continue
    return await _read(source, query)


def writing_engine(database_url: str) -> AsyncEngine:
    """Return the engine of the doors: on psycopg, so that rows are written as the workers write them."""
    return create_async_engine(
        engine.url_for(database_url, "psycopg"),
        pool_size=WRITERS,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"options": _WRITING, "connect_timeout": int(_CONNECT_SECONDS), "keepalives_idle": 30},
    )


async def _read(source: Pool, query: Callable[[Connection], Awaitable[R]]) -> R:
    async with source.acquire(timeout=_ACQUIRE_SECONDS) as connection:
        try:
            return await query(connection)
        except _CUT:
            # Otherwise the pool would hand it out again, if it has not noticed yet.
            with suppress(asyncpg.InterfaceError):
                connection.terminate()
            raise


async def _keep(_connection: object) -> None:
    """Reset nothing: reads change no session state, and a reset would cost each of them a round trip."""


def _dsn(database_url: str) -> str:
    url = engine.url_for(database_url, "asyncpg").set(drivername="postgresql")
    return url.render_as_string(hide_password=False)
