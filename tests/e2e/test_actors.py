"""A click farm against the real workers: found, flagged, taken back, and counted again once cleared."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reshelf import client, tasks
from storage.embedded.servers import Servers
from tests.support import stack as stacks
from tests.support import waiting
from tests.support.stack import Stack
from workers import capabilities

NOW = datetime.now(UTC) - timedelta(minutes=10)
TARGETS = [f"item-{n}" for n in range(52, 60)]
FAKES, REAL = 40, 80


@pytest.fixture
def stack(embedded: Servers, database_url: str, broker_url: str, tmp_path: Path) -> Iterator[Stack]:
    settings = stacks.settings_for(tmp_path, database_url, broker_url)
    with stacks.running(settings, "intake", "recommend", "background", "gateway") as running:
        yield running


def event(shopper: str, number: int, kind: str, item_id: str, at: datetime) -> dict[str, Any]:
    named = {"event_id": f"{shopper}-{number}", "user_id": shopper, "kind": kind, "item_id": item_id}
    return named | {"at": at.isoformat()}


def real() -> Iterator[dict[str, Any]]:
    """Customers who bought weeks ago, and browse now: each stays in one group of items, none of them promoted."""
    draw = random.Random(1)
    for n in range(REAL):
        yield event(f"ann-{n}", 0, "purchase", f"item-{n % 50}", NOW - timedelta(days=20))
        at = NOW - timedelta(days=draw.uniform(1, 5))
        for step in range(1, 6):
            at += timedelta(seconds=draw.lognormvariate(3.5, 1))
            yield event(f"ann-{n}", step, "click", f"item-{draw.randrange(12) * 4 + n % 4}", at)


def farm() -> Iterator[dict[str, Any]]:
    draw = random.Random(2)
    for n in range(FAKES):
        at = NOW - timedelta(days=draw.uniform(0, 0.5))
        for step, item_id in enumerate(draw.sample(TARGETS, 8) + [f"item-{draw.randrange(48)}" for _ in range(4)]):
            at += timedelta(seconds=draw.lognormvariate(3.5, 1))
            yield event(f"mob-{n}", step, "add_to_cart", item_id, at)


def popular(stack: Stack) -> set[str]:
    return {one["item_id"] for one in stack.get("/v1/popular?limit=8")["items"]}


def counted(stack: Stack) -> float:
    found = stack.query("SELECT coalesce(sum(count), 0) FROM transitions WHERE to_item = ANY(:items)", items=TARGETS)
    return float(found[0][0])


def test_a_click_farm_moves_the_shelves_until_it_is_found(stack: Stack) -> None:
    waiting.wait_until(stack.is_idle, what="the seed is ranked")
    stack.post("/v1/events", list(real()))
    waiting.wait_until(stack.is_idle, what="the real customers are ranked")
    honest = counted(stack)
    stack.post("/v1/events", list(farm()))
    waiting.wait_until(stack.is_idle, what="the farm is ranked")
    assert counted(stack) > honest + 100
    _ring(stack, tasks.REFRESH_POPULAR)
    waiting.wait_until(lambda: popular(stack) == set(TARGETS), what="the farm's items are popular")

    _ring(stack, tasks.WATCH_ACTORS)
    waiting.wait_until(lambda: stack.get("/v1/actors")["flagged"] == FAKES, what="the farm is flagged")
    assert {one["shopper"].partition("-")[0] for one in stack.get("/v1/actors")["actors"]} == {"mob"}
    waiting.wait_until(lambda: counted(stack) == pytest.approx(honest), what="its transitions are taken back")
    _ring(stack, tasks.REFRESH_POPULAR)
    waiting.wait_until(lambda: not popular(stack) & set(TARGETS), what="its items are popular no more")
    ranked = "SELECT count(*) FROM due WHERE kind <> 'reason'"
    waiting.wait_until(lambda: stack.query(ranked) == [(0,)], what="the shelves that showed them are ranked anew")
    own = stack.get("/v1/users/mob-0/recommendations")
    assert own["source"] == "personal"  # whoever is flagged has a shelf as before

    for n in range(FAKES):
        stack.post(f"/v1/actors/mob-{n}/clear", [])
    waiting.wait_until(lambda: counted(stack) > honest + 100, what="cleared actors count again")
    _ring(stack, tasks.REFRESH_POPULAR)
    waiting.wait_until(lambda: popular(stack) == set(TARGETS), what="cleared actors move the popular shelf")


def _ring(stack: Stack, task: str) -> None:
    """Send a task that takes nothing, as beat does, as if the last run had cost nothing."""
    with stack.database.begin() as connection:
        connection.exec_driver_sql("UPDATE watermarks SET value = '{}' WHERE name IN ('popularity', 'actors')")

    sender = client.sender(str(stack.settings.broker_url))
    sender.send_task(task, queue=capabilities.queue_of(task))
    sender.close()
