"""Engines: how the processes reach PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url

from storage import arrays

_OPTIONS = "-c timezone=UTC -c application_name=reshelf"


def url_for(database_url: str, driver: str) -> URL:
    """Return `database_url` (postgresql://…) with the driver named, `psycopg` or `asyncpg`."""
    return make_url(database_url).set(drivername=f"postgresql+{driver}")


def connect(database_url: str, *, pool_size: int = 4, durable: bool = True) -> Engine:
    """Return an engine whose sessions speak UTC and drop dead connections before use.

    Unless `durable`, a commit does not wait for the disk: the last ones may be lost when the server crashes.
    """
    arrays.install()
    options = _OPTIONS if durable else f"{_OPTIONS} -c synchronous_commit=off"
    return create_engine(
        url_for(database_url, "psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": 10, "keepalives_idle": 30},
    )
