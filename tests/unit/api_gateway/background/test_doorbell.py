"""The doorbell never blocks, never fails, and rings once for what came meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time

from api_gateway.background.doorbell import BackgroundDoorbell


class SlowBell:
    """A bell that rings until it is let go."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, ...]] = []
        self.let_go = threading.Event()
        self.threads = 0
        self.most_threads = 0

    def ring(self, *kinds: str) -> None:
        self.threads += 1
        self.most_threads = max(self.most_threads, self.threads)
        self.let_go.wait(5)
        self.rung.append(kinds)
        self.threads -= 1


def test_a_slow_bell_blocks_nothing_and_rings_once_for_the_rest() -> None:
    bell = SlowBell()

    async def scenario() -> float:
        doorbell = BackgroundDoorbell(bell)
        doorbell.ring("shopper")
        await asyncio.sleep(0.05)
        start = time.perf_counter()
        for _ in range(100):
            doorbell.ring("shopper")
            doorbell.ring("item")
        took = time.perf_counter() - start
        bell.let_go.set()
        await doorbell.close()
        return took

    assert asyncio.run(scenario()) < 0.05
    assert bell.rung == [("shopper",), ("item", "shopper")]
    assert bell.most_threads == 1


def test_a_bell_that_raises_is_rung_again_next_time() -> None:
    class Broken:
        calls = 0

        def ring(self, *_kinds: str) -> None:
            self.calls += 1
            raise RuntimeError("no broker")

    bell = Broken()

    async def scenario() -> None:
        doorbell = BackgroundDoorbell(bell)
        for _ in range(2):
            doorbell.ring("item")
            await doorbell.close()

    asyncio.run(scenario())
    assert bell.calls == 2


def test_without_a_bell_or_a_kind_nothing_is_rung() -> None:
    async def scenario() -> None:
        silent = BackgroundDoorbell(None)
        silent.ring("item")
        await silent.close()
        bell = SlowBell()
        BackgroundDoorbell(bell).ring()
        assert bell.rung == []

    asyncio.run(scenario())


def test_rings_keep_a_distance_and_the_last_one_is_not_lost() -> None:
    class Counting:
        calls = 0

        def ring(self, *_kinds: str) -> None:
            self.calls += 1

    bell = Counting()

    async def scenario() -> tuple[float, int]:
        doorbell, start = BackgroundDoorbell(bell), time.perf_counter()
        for _ in range(200):
            doorbell.ring("order")
            await asyncio.sleep(0)
        before_last = bell.calls
        await asyncio.sleep(0.001)
        doorbell.ring("order")
        await doorbell.close()
        return time.perf_counter() - start, before_last

    took, before_last = asyncio.run(scenario())
    assert before_last < bell.calls <= 2 + took / 0.02
