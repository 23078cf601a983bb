"""The export of a person as a stream: a connection reads it, one piece at a time, while it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from workers.privacy import exporting
from workers.privacy.exporting import Export


async def stream(engine: AsyncEngine, people: Sequence[str]) -> AsyncIterator[bytes]:
    """Yield the pieces of the JSON object. Everything is read in one snapshot of the database."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")

        def begin(sync: Connection) -> Export:
            return exporting.Export(sync, people)

        export = await connection.run_sync(begin)
        while piece := await connection.run_sync(lambda _: export.next_piece()):
            yield piece
