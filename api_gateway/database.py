"""The gateway's ways to the database: a raw asyncpg pool for the reads, one connection to listen on, an engine for
the doors.
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
"""Transactions that the doors of one process have open at a time."""

_ACQUIRE_SECONDS = 2.0
_CONNECT_SECONDS = 3.0
_QUERY_SECONDS = 5.0
# A short query gains nothing from compilation, and one plan fits all parameters: index lookups in nested loops. The
# others are ruled out, for a plan is kept as long as the connection: one that was made while the catalogue was empty
# would read the whole catalogue for every item, once there is one.
_READING = {
    "timezone": "UTC",
    "application_name": "reshelf-gateway",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
    # Written here are questions, which can be asked again, and orders, which are on the disk with their decision.
    "synchronous_commit": "off",
}
_WRITING = "-c timezone=UTC -c application_name=reshelf-gateway -c statement_timeout=20s"

# How asyncpg shows that the server closed a connection; the last, when it did so as the query was sent.
_CUT = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,
    ConnectionResetError,
)

R = TypeVar("R")


def pool(database_url: str) -> Pool:
    """Return a pool that connects when it is first used, so that the gateway starts without its database."""
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
    """Return a connection outside of the pool, for whoever listens on it. Raises asyncpg's errors and `OSError`."""
    return await asyncpg.connect(
        _dsn(database_url), command_timeout=_QUERY_SECONDS, timeout=_CONNECT_SECONDS, server_settings=_READING
    )


async def read(source: Pool, query: Callable[[Connection], Awaitable[R]]) -> R:
    """Return what `query` returns on a connection; on another one where that turns out to have been cut.

    Raises asyncpg's errors, `OSError` and `TimeoutError`.
    """
    # A server that was restarted leaves a whole pool of cut connections behind.
    for _ in range(POOL_SIZE):
        try:
            return await _read(source, query)
        except _CUT:
            continue
    return await _read(source, query)


def writing_engine(database_url: str) -> AsyncEngine:
    """Return the engine of the doors: on psycopg, so that a row is written as the workers write it."""
    return create_async_engine(
        engine.url_for(database_url, "psycopg"),
        pool_size=WRITERS,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"options": _WRITING, "connect_timeout": int(_CONNECT_SECONDS), "keepalives_idle": 30},
    )


async def _read(source: Pool, query: Callable[[Connection], Awaitable[R]]) -> R:
    async with source.acquire(timeout=_ACQUIRE_SECONDS) as connection:
        try:
            return await query(connection)
        except _CUT:
            # Or the pool would lend it again, where it has not noticed yet and taken it back itself.
            with suppress(asyncpg.InterfaceError):
                connection.terminate()
            raise


async def _keep(_connection: object) -> None:
    """Reset nothing: the reads change no session state, and a reset would cost each of them a round trip."""


def _dsn(database_url: str) -> str:
    url = engine.url_for(database_url, "asyncpg").set(drivername="postgresql")
    return url.render_as_string(hide_password=False)
