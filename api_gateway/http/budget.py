"""How many bytes of bodies may be read at a time: a decoded batch takes twenty times the memory of its bytes.

Small bodies pass at once. Large ones wait for their turn, first come, first served, and are refused (503 with
Retry-After) when too many wait already, or it takes too long: the sender tries again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from api_gateway.http import bodies
from api_gateway.http.errors import Unavailable

SMALL_BYTES = 64 * 1024
TOTAL_BYTES = 2 * bodies.MOST_BYTES
MOST_WAITING = 64
LONGEST_WAIT = 5.0
"""Seconds."""

# JSON packs to about a tenth.
_PACKED = 20
_WITH_BODY = ("POST", "PUT", "PATCH")


def weight(scope: Any) -> int:
    """Return the bytes that a request's body may have when it is unpacked; 0 for a small one."""
    if scope["method"] not in _WITH_BODY:
        return 0
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    size = int(length) if length.isdigit() else bodies.MOST_BYTES
    if b"content-encoding" in headers:
        size *= _PACKED
    return 0 if size <= SMALL_BYTES else min(size, bodies.MOST_BYTES)


class Budget:
    """The bytes that are left, and who waits for some."""

    def __init__(self, total: int = TOTAL_BYTES) -> None:
        self._left = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def held(self, size: int) -> AsyncIterator[None]:
        """Hold so many bytes during the block. Raises `Unavailable`."""
        await self._take(size)
        try:
            yield
        finally:
            self._left += size
            self._serve()

    async def _take(self, size: int) -> None:
        if len(self._waiting) >= MOST_WAITING:
            raise Unavailable("too many large bodies wait to be read")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (size, turn)
        self._waiting.append(entry)
        self._serve()
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await turn
        except BaseException as error:
            self._give_up(entry)
            if isinstance(error, TimeoutError):
                raise Unavailable("large bodies take too long to be read") from error
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
