"""Writer names: each open transaction counts its rows under its own name, so that none waits for another."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api_gateway.http.errors import Unavailable

MOST_WAITING = 256
LONGEST_WAIT = 5.0
"""Seconds."""


class Writers:
    """As many names as transactions may be open at a time; a transaction waits until a name is free.

    But not for long, and not behind many others: the sender is told to try again.
    """

    def __init__(self, count: int) -> None:
        self._waiting = 0
        self._free: asyncio.LifoQueue[str] = asyncio.LifoQueue()
        for number in range(count):
            self._free.put_nowait(f"{socket.gethostname()}:{os.getpid()}:{number}")

    @asynccontextmanager
    async def one(self) -> AsyncIterator[str]:
        """Hand out a name during the block, first come, first served. Raises `Unavailable`."""
        if self._waiting >= MOST_WAITING:
            raise Unavailable("too many transactions wait for their turn")
        self._waiting += 1
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                name = await self._free.get()
        except TimeoutError as error:
            raise Unavailable("the database takes too long with what others sent") from error
        finally:
            self._waiting -= 1
        try:
            yield name
        finally:
            self._free.put_nowait(name)
