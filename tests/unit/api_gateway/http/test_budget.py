"""Large bodies wait for their turn: in order, not for long, and nothing is lost when one gives up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api_gateway.http import budget, turns
from api_gateway.http.errors import Unavailable


def _scope(method: str, **headers: str) -> dict[str, Any]:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"method": method, "headers": named}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "TOTAL_BYTES", 10)


@pytest.mark.parametrize(
    ("scope", "weight"),
    [
        (_scope("GET"), 0),
        (_scope("POST", content_length="1000"), 0),
        (_scope("POST", content_length="100000"), 100_000),
        (_scope("POST", content_length="10000", content_encoding="gzip"), 200_000),
        (_scope("POST", transfer_encoding="chunked"), 4 * 1024 * 1024),
        (_scope("PUT", content_length="999999999"), 4 * 1024 * 1024),
        (_scope("POST", content_length="many"), 4 * 1024 * 1024),
    ],
)
def test_a_body_weighs_what_it_may_unpack_to(scope: dict[str, Any], weight: int) -> None:
    assert budget.weight(scope) == weight


def test_bodies_are_read_in_order_and_never_more_than_fit() -> None:
    async def run() -> tuple[list[int], int]:
        shared, begun, held, most = budget.turns(), [], 0, 0

        async def read(number: int, size: int) -> None:
            nonlocal held, most
            async with shared.held(size):
                begun.append(number)
                held += size
                most = max(most, held)
                await asyncio.sleep(0.01)
                held -= size

        await asyncio.gather(*(read(number, size) for number, size in enumerate([6, 8, 1, 3, 10, 2, 2])))
        return begun, most

    begun, most = asyncio.run(run())
    assert begun == list(range(7))
    assert most <= 10


def test_who_waits_too_long_or_behind_too_many_is_told_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.05)
    monkeypatch.setattr(budget, "MOST_WAITING", 2)

    async def run() -> None:
        shared = budget.turns()

        async def ask() -> None:
            async with shared.held(10):
                pass

        async with shared.held(10):
            waiting = [asyncio.create_task(ask()) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(Unavailable, match="too many"):
                await ask()
            for task in waiting:
                with pytest.raises(Unavailable, match="too long"):
                    await task
        async with asyncio.timeout(1), shared.held(10):
            pass

    asyncio.run(run())


def test_a_caller_that_goes_away_gives_back_what_it_held_or_waited_for() -> None:
    async def run() -> None:
        shared = budget.turns()

        async def ask() -> None:
            async with shared.held(10):
                await asyncio.sleep(60)

        tasks = [asyncio.create_task(ask()) for _ in range(3)]
        await asyncio.sleep(0.01)
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(1), shared.held(10):
            pass

    asyncio.run(run())
