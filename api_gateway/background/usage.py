"""Usage: how often each search answer was asked for, counted in memory and written now and then."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from api_gateway import database
from api_gateway.background import periodic
from api_gateway.database import Pool
from storage.search import lookup

log = logging.getLogger(__name__)

_WRITTEN_EVERY = 2.0


class Usage:
    """Counts in memory. If the process dies, some answers only seem to be less in demand."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._times: Counter[str] = Counter()

    def add(self, key: str) -> None:
        """Count one."""
        self._times[key] += 1

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Write the counts periodically during the block."""
        async with periodic.running(self.write, every=_WRITTEN_EVERY):
            yield

    async def write(self) -> None:
        """Write the counts."""
        times, self._times = self._times, Counter()
        if not times:
            return
        try:
            await database.read(self._pool, lambda connection: lookup.count(connection, times))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.debug("what was asked for is not counted: %s", error)
