"""A canary that does harm is rolled back: by the task on real servers, and by beat and a worker of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import text

from storage.experiment import experiments
from storage.experiment.experiments import Experiment
from storage.registry import health, models
from tests.support import waiting
from tests.support.stack import Stack, settings_for
from workers import settings as configuration
from workers.experiment import service, tasks
from workers.runtime import bootstrap

Members = Callable[[Experiment, str, int], list[str]]


@pytest.fixture
def watch(
    database_url: str, broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """The task, as a worker on these servers runs it that has just started, and so need not rest from a last look."""
    given = settings_for(tmp_path, database_url, broker_url)
    for name, value in configuration.to_environ(given).items():
        monkeypatch.setenv(name, value)

    def look() -> None:
        bootstrap.services.cache_clear()
        tasks.watch_canary()
        bootstrap.services().bell.close()
        bootstrap.services().engine.dispose()

    yield look
    bootstrap.services.cache_clear()


def visits(shop: Any, shoppers: list[str], *, clicking: int) -> None:
    """Every shopper sees home, and so many of them click."""
    now = datetime.now(UTC)
    shop.happens(*((shopper, "impression", now) for shopper in shoppers))
    shop.happens(*((shopper, "click", now) for shopper in shoppers[:clicking]))


def because(shop: Any, name: str) -> str | None:
    """Why the experiment was stopped, None while it runs."""
    with shop.database.connect() as connection:
        found = experiments.named(connection, name)
    assert found is not None
    return found.stopped_because


def due_shoppers(shop: Any) -> set[str]:
    with shop.database.connect() as connection:
        return set(connection.execute(text("SELECT key FROM due WHERE kind = 'shopper'")).scalars())


def test_a_canary_that_sells_less_is_rolled_back(
    shop: Any, members: Members, watch: Callable[[], None], broker_url: str
) -> None:
    canary, _ = service.canary(shop.database, shop.next, 0.2)
    control, tried = members(canary, "live", 800), members(canary, "canary", 400)
    shop.shelves(control + tried)
    visits(shop, control, clicking=160)
    visits(shop, tried[:200], clicking=30)
    watch()
    assert because(shop, canary.name) is None, "15 and 20 in a hundred are not far apart for 200 shoppers"
    visits(shop, tried[200:], clicking=0)
    with shop.database.begin() as connection:
        connection.execute(text("DELETE FROM due"))
    watch()
    assert because(shop, canary.name) == "click rate 7.50% of 400 shoppers, 20.00% with the live version"
    assert due_shoppers(shop) == set(tried)
    with Redis.from_url(broker_url) as redis:
        assert b"reshelf.recommend.refresh_shoppers" in redis.lrange("refresh", 0, -1)[0]
    watch()  # and again: nothing runs


@pytest.mark.parametrize(
    ("failed", "seconds", "why"),
    [
        (True, 0.01, "5 of 5 batches failed, 0% with the live version"),
        (False, 0.9, "a batch takes 0.90 s, 0.01 s with the live version"),
    ],
)
def test_a_canary_that_ranks_badly_is_rolled_back(
    shop: Any, watch: Callable[[], None], failed: bool, seconds: float, why: str
) -> None:
    canary, _ = service.canary(shop.database, shop.next, 0.2)
    with shop.database.begin() as connection:
        for _ in range(5):
            health.record(connection, shop.live, seconds=0.01)
        for _ in range(4):
            health.record(connection, shop.next, seconds=seconds, failed=failed)
    watch()
    assert because(shop, canary.name) is None
    with shop.database.begin() as connection:
        health.record(connection, shop.next, seconds=seconds, failed=failed)
    watch()
    assert because(shop, canary.name) == why


def test_a_canary_that_is_promoted_is_over(shop: Any, watch: Callable[[], None]) -> None:
    canary, _ = service.canary(shop.database, shop.next, 0.2)
    with shop.database.begin() as connection:
        models.switch(connection, shop.next)
    watch()
    assert because(shop, canary.name) == f"{shop.next} is live and serves everyone"


def test_beat_and_a_worker_roll_it_back_by_themselves(
    shop: Any, members: Members, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    """Ten seconds to the next look, and the look itself; what a loaded machine takes to start comes before it."""
    stack = Stack(settings_for(tmp_path, database_url, broker_url), shop.database)
    stack.start("intake", "worker", "intake")
    stack.start("beat", "beat")
    try:
        canary, _ = service.canary(shop.database, shop.next, 0.3)
        visits(shop, members(canary, "live", 600), clicking=300)
        visits(shop, members(canary, "canary", 300), clicking=30)
        waiting.wait_until(lambda: because(shop, canary.name) is not None, what="the canary was rolled back")
        assert (because(shop, canary.name) or "").startswith("click rate 10.00% of 300 shoppers")
    finally:
        stack.stop()
