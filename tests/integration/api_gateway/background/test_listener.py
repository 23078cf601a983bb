"""Requests that wait for an answer hear of it when it is committed, and time out otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Engine, text

from api_gateway.background.listener import Listener
from storage import announcements

SOON, LONG = 0.05, 20.0
_LISTENERS = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"


@asynccontextmanager
async def listening(listener: Listener, database: Engine) -> AsyncIterator[None]:
    """Open the listener, and wait until it listens."""
    async with listener.open():
        await _until_heard(listener, database)
        yield


async def _until_heard(listener: Listener, database: Engine) -> None:
    with listener.expect("test", "probe") as probe:
        for _ in range(200):
            await asyncio.to_thread(announce, database, "probe")
            if await probe.within(SOON):
                return
    raise AssertionError("nothing was heard in ten seconds")


def announce(database: Engine, *keys: str) -> None:
    with database.begin() as connection:
        announcements.announce(connection, "test", keys)


def test_all_who_wait_for_a_key_hear_of_it_and_no_others(database: Engine, database_url: str) -> None:
    async def scenario() -> list[bool]:
        listener = Listener(database_url)
        async with listening(listener, database):
            with (
                listener.expect("test", "手机 \ud800") as first,
                listener.expect("test", "手机 \ud800") as second,
                listener.expect("test", "x" * 10_000) as long,
                listener.expect("other", "手机 \ud800") as other,
            ):
                waiting = [asyncio.create_task(one.within(LONG)) for one in (first, second, long)]
                await asyncio.to_thread(announce, database, "手机 \ud800", "x" * 10_000)
                return [*await asyncio.gather(*waiting), await other.within(SOON)]

    assert asyncio.run(scenario()) == [True, True, True, False]


def test_an_answer_is_announced_when_it_is_committed_and_not_before(database: Engine, database_url: str) -> None:
    async def scenario() -> tuple[bool, bool]:
        listener = Listener(database_url)
        async with listening(listener, database):
            with listener.expect("test", "a") as one, database.connect() as connection:
                announcements.announce(connection, "test", ["a"])
                early = await one.within(SOON)
                connection.commit()
                return early, await one.within(LONG)

    assert asyncio.run(scenario()) == (False, True)


def test_a_cut_connection_is_replaced(database: Engine, database_url: str) -> None:
    async def scenario() -> bool:
        listener = Listener(database_url)
        async with listening(listener, database):
            with database.begin() as connection:
                assert len(connection.execute(text(f"SELECT pg_terminate_backend(pid) {_LISTENERS}")).all()) == 1
            await _until_heard(listener, database)
            with listener.expect("test", "a") as one:
                await asyncio.to_thread(announce, database, "a")
                return await one.within(LONG)

    assert asyncio.run(scenario())
