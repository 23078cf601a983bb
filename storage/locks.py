"""Locks that one process of all machines holds at a time; PostgreSQL releases them also when it dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

_TRY = text("SELECT pg_try_advisory_lock(hashtext(:name))")
_RELEASE = text("SELECT pg_advisory_unlock(hashtext(:name))")


@contextmanager
def tried(engine: Engine, name: str) -> Iterator[bool]:
    """Hold the lock of this name during the block, if nobody else does; yield whether it is held."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_held = bool(connection.execute(_TRY, {"name": name}).scalar_one())
        try:
            yield is_held
        finally:
            if is_held:
                connection.execute(_RELEASE, {"name": name})
