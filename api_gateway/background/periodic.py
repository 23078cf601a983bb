"""Periodic background tasks of the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def running(work: Callable[[], Awaitable[None]], *, every: float = 0.0) -> AsyncIterator[None]:
    """Run `work` again and again during the block, with `every` seconds before each time."""
    task = asyncio.create_task(_repeat(work, every))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _repeat(work: Callable[[], Awaitable[None]], every: float) -> None:
    while True:
        await asyncio.sleep(every)
        await work()
