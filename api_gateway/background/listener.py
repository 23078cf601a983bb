"""The listener: requests wait here, up to a deadline, until a worker has announced their answer.

One connection listens for all of them. A request reads the answer from its row afterwards, unless the announcement held
it in full. So a lost announcement (because the connection broke, say) only costs the time up to the deadline.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import asyncpg

from api_gateway import database
from api_gateway.background import periodic
from api_gateway.database import Connection
from storage import announcements

log = logging.getLogger(__name__)

_RECONNECT_SECONDS = 0.5
_ALIVE_SECONDS = 20.0
_UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Expected:
    """An answer that one request waits for."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()
        self.said = ""
        """The announced answer, empty if it has to be read from its row."""

    @property
    def is_heard(self) -> bool:
        """Whether the answer was announced."""
        return self._heard.is_set()

    async def within(self, seconds: float) -> bool:
        """Return whether the answer was announced already, or is within this time."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._heard.wait(), max(seconds, 0))
        return self.is_heard

    def heard(self, said: str) -> None:
        """Let the request continue."""
        self.said = said
        self._heard.set()


class Listener:
    """Listens for the answers that workers announce (`storage.announcements`)."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._expected: dict[str, set[Expected]] = {}

    @contextmanager
    def expect(self, kind: str, key: str) -> Iterator[Expected]:
        """Expect the answer to a key of a due kind during the block.

        Ask inside the block, or the answer may be missed.
        """
        name, one = announcements.name(kind, key), Expected()
        self._expected.setdefault(name, set()).add(one)
        try:
            yield one
        finally:
            others = self._expected[name]
            others.discard(one)
            if not others:
                del self._expected[name]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Listen during the block."""
        async with periodic.running(self._listen):
            yield

    async def _listen(self) -> None:
        try:
            await self._listen_on_one_connection()
        except _UNREACHABLE as error:
            log.debug("nothing is announced while the database is away: %s", error)
        except Exception:  # noqa: BLE001  whatever it was: requests wait here, and the next connection may work
            log.exception("listening for answers failed")
        await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_on_one_connection(self) -> None:
        connection = await database.connect(self._database_url)
        try:
            cut = asyncio.Event()
            connection.add_termination_listener(lambda _connection: cut.set())
            await connection.add_listener(announcements.CHANNEL, self._hear)
            while not cut.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(cut.wait(), _ALIVE_SECONDS)
                    return
                # If the server has vanished, there is no error; only a query that is not answered shows it.
                await connection.execute("SELECT 1")
        finally:
            connection.terminate()

    def _hear(self, _connection: Connection, _pid: int, _channel: str, payload: str) -> None:
        name, said = announcements.heard(payload)
        for one in self._expected.get(name, ()):
            one.heard(said)
