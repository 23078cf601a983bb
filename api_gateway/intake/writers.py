"""Writer names: each open transaction counts its rows under its own name, so that none waits for another."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api_gateway.http.turns import Turns

MOST_WAITING = 256


class Writers:
    """As many names as transactions may be open at a time; a transaction waits until a name is free.

    But not for long, and not behind many others: the sender is told to try again.
    """

    def __init__(self, count: int) -> None:
        self._free = [f"{socket.gethostname()}:{os.getpid()}:{number}" for number in range(count)]
        self._turns = Turns(
            count,
            most_waiting=MOST_WAITING,
            crowded="too many transactions wait for their turn",
            slow="the database takes too long with what others sent",
        )

    @asynccontextmanager
    async def one(self) -> AsyncIterator[str]:
        """Hand out a name during the block, first come, first served. Raises `Unavailable`."""
        async with self._turns.held():
            name = self._free.pop()
            try:
                yield name
            finally:
                self._free.append(name)
