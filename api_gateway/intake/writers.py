"""Writer names: each open transaction counts its rows under its own name, so that none waits for another."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Writers:
    """As many names as transactions may be open at a time; a transaction waits until a name is free."""

    def __init__(self, count: int) -> None:
        self._free: asyncio.LifoQueue[str] = asyncio.LifoQueue()
        for number in range(count):
            self._free.put_nowait(f"{socket.gethostname()}:{os.getpid()}:{number}")

    @asynccontextmanager
    async def one(self) -> AsyncIterator[str]:
        """Hand out a name during the block."""
        name = await self._free.get()
        try:
            yield name
        finally:
            self._free.put_nowait(name)
