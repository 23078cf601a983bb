"""Turns: so much at a time, first come, first served; nobody waits for long, or behind many others."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api_gateway.http.errors import Unavailable

LONGEST_WAIT = 5.0
"""Seconds."""


class Turns:
    """What is left of a total, and who waits for some.

    `crowded` and `slow` are what a caller is told who would wait behind `most_waiting` others, or has waited too long.
    """

    def __init__(self, total: int, *, most_waiting: int, crowded: str, slow: str) -> None:
        self._left = total
        self._most_waiting = most_waiting
        self._crowded = crowded
        self._slow = slow
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def held(self, size: int = 1) -> AsyncIterator[None]:
        """Hold so much during the block. Raises `Unavailable`."""
        await self._take(size)
        try:
            yield
        finally:
            self._left += size
            self._serve()

    async def _take(self, size: int) -> None:
        if size <= self._left and not self._waiting:
            self._left -= size
            return
        if len(self._waiting) >= self._most_waiting:
            raise Unavailable(self._crowded)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (size, turn)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await turn
        except BaseException as error:
            self._give_up(entry)
            if isinstance(error, TimeoutError):
                raise Unavailable(self._slow) from error
            raise

    def _give_up(self, entry: tuple[int, asyncio.Future[None]]) -> None:
        if entry in self._waiting:
            self._waiting.remove(entry)
        else:  # its turn came in the same moment
            self._left += entry[0]
        self._serve()

    def _serve(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._left:
            size, turn = self._waiting.popleft()
            self._left -= size
            turn.set_result(None)
