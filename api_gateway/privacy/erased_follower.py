"""The erased, followed in the background, so that every door knows within half a second whom to drop."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg

from api_gateway import database
from api_gateway.background import periodic
from api_gateway.database import Connection, Pool
from storage.privacy import erased
from storage.privacy.erased import Erased
from workers.privacy import secret
from workers.settings import Settings, SettingsError

log = logging.getLogger(__name__)

_EVERY = erased.FOLLOWED_EVERY / 2


class ErasedFollower:
    """The erased, as of a moment ago."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool = pool
        self.known = Erased(partial(secret.load, settings))

    @asynccontextmanager
    async def kept_up(self) -> AsyncIterator[None]:
        """Follow them during the block."""
        await self._look()
        async with periodic.running(self._look, every=_EVERY):
            yield

    async def _look(self) -> None:
        try:
            await database.read(self._pool, self._take)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.debug("the database does not say who was erased: %s", error)
        except SettingsError as error:
            log.error("%s", error)  # noqa: TRY400  the setting is wrong, not the code

    async def _take(self, connection: Connection) -> None:
        began = time.monotonic()
        rows = await connection.fetch(erased.ADDED, self.known.last)
        self.known.take([tuple(row) for row in rows], began)
