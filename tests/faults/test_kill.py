"""Kill -9: nothing that was committed is lost, nothing is applied twice, and the shelf is fresh again."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from model.recommend import config as configs
from reshelf import tasks
from storage import migrate
from storage.embedded import servers
from storage.embedded.servers import Servers
from storage.events import histories
from tests.support import shop, waiting
from tests.support import stack as stacks
from tests.support.stack import Stack
from workers.recommend import counting
from workers.registry import switching


@pytest.fixture(name="own")
def _own_servers(tmp_path: Path) -> Iterator[Servers]:
    with servers.running(tmp_path / "servers") as running:
        migrate.upgrade(running.database)
        yield running


@pytest.fixture(name="stack")
def _stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """On the servers that all tests share; where a test asks for `own` ones, to kill them, on these."""
    if "own" in request.fixturenames:
        own: Servers = request.getfixturevalue("own")
        database_url, broker_url = own.database, own.broker
    else:
        database_url, broker_url = request.getfixturevalue("database_url"), request.getfixturevalue("broker_url")
    home = tmp_path / "home"
    home.mkdir()
    settings = stacks.settings_for(home, database_url, broker_url)
    with stacks.running(settings, "intake", "recommend", "beat") as stack:
        waiting.wait_until(stack.is_idle, what="the first shelves")
        yield stack


def _fresh(stack: Stack, prefix: str, shoppers: int) -> bool:
    """Return whether each shopper's shelf reflects the shopper's last event."""
    [(fresh,)] = stack.query(
        "SELECT count(*) FROM rankings AS r JOIN (SELECT shopper, max(at) AS at FROM events WHERE shopper LIKE :like "
        "GROUP BY shopper) AS e ON e.shopper = r.owner WHERE r.surface = 'home' AND r.through = e.at",
        like=f"{prefix}-%",
    )
    return bool(fresh == shoppers) and stack.is_idle()


def test_a_worker_killed_in_the_middle_of_a_refresh(stack: Stack) -> None:
    events = list(shop.history("live", shoppers=300, each=10))
    for n in range(0, len(events), 100):
        stack.send(tasks.EVENTS, events[n : n + 100])
    claimed = "SELECT count(*) > 0 FROM due WHERE kind = 'shopper' AND claimed_until > now()"
    waiting.wait_until(lambda: stack.query(claimed) == [(True,)], what="a refresh under way")
    stack.kill("recommend")
    left = stack.query("SELECT count(*) FROM due")
    assert left != [(0,)]
    stack.start("recommend", "worker", "recommend")
    took = waiting.wait_until(lambda: _fresh(stack, "live", 300), what="fresh shelves")
    assert took < 60
    assert stack.query("SELECT count(*) FROM events WHERE shopper LIKE 'live-%'") == [(len(events),)]
    assert stack.query("SELECT count(*) FROM dead_letters") == [(0,)]


def test_every_event_counts_once_when_workers_are_killed(stack: Stack) -> None:
    events = list(shop.history("live", shoppers=300, each=8))
    counted = "SELECT from_item, to_item, count FROM transitions"
    with stack.database.begin() as connection:
        connection.execute(text("UPDATE model_versions SET learnt_through = '2020-01-01T00:00:00Z'"))
    for half in (events[: len(events) // 2], events[len(events) // 2 :]):
        before = stack.query(counted)
        stack.send(tasks.EVENTS, half)  # one message, one transaction: none of them comes late
        waiting.wait_until(partial(lambda was: stack.query(counted) != was, before), what="first counts")
        stack.kill("recommend")
        stack.start("recommend", "worker", "recommend")
        waiting.wait_until(stack.is_idle, what="fresh shelves")

    gains = configs.gains(configs.preset(stack.settings.preset))
    expected: dict[tuple[str, str], float] = defaultdict(float)
    with stack.database.connect() as connection:
        read = histories.read(connection, [f"live-{n}" for n in range(300)], length=8, policy="show_all")
    for history in read.values():
        for pair, count in counting.new_pairs(history.touches, datetime(2020, 1, 1, tzinfo=UTC), gains).items():
            expected[pair] += count
    found = {(before, after): count for before, after, count in stack.query(counted)}
    assert found == pytest.approx(dict(expected), rel=1e-4)


def test_the_worker_that_nobody_waits_for_is_killed(stack: Stack) -> None:
    """Shelves go on being written without it; the next one ranks what could wait, and explains what stands."""
    stack.start("background", "worker", "background")
    waiting.wait_until(stack.is_settled, what="the first reasons")
    [(live,)] = stack.query("SELECT DISTINCT model_version FROM rankings WHERE surface = 'home'")
    new = shop.another(stack.database, stack.settings, "00face")
    switching.switch(stack.database, new)
    by_new = "SELECT count(*) FROM rankings WHERE surface = 'home' AND model_version = :version"
    waiting.wait_until(lambda: stack.query(by_new, version=new)[0][0] > 0, what="the new version ranks")
    stack.kill("background")
    events = list(shop.history("live", shoppers=50, each=2))
    stack.send(tasks.EVENTS, events)
    waiting.wait_until(lambda: _fresh(stack, "live", 50), what="the shelves that somebody waits for")
    stack.start("background", "worker", "background")
    waiting.wait_until(stack.is_settled, what="everything else")
    shelves = stack.shelves()
    assert len(shelves) == 40 + 50
    assert {shelf.version for shelf in shelves.values()} == {new} != {live}
    assert [owner for owner, shelf in shelves.items() if not shelf.because] == []
    assert stack.query("SELECT count(*) FROM dead_letters") == [(0,)]


def test_redis_killed_with_everything_in_it(stack: Stack, own: Servers, tmp_path: Path) -> None:
    events = list(shop.history("live", shoppers=100, each=10))
    half = len(events) // 2
    stack.send(tasks.EVENTS, events[:half])
    taken = "SELECT count(*) FROM events WHERE shopper LIKE 'live-%'"
    waiting.wait_until(lambda: stack.query(taken) == [(half,)], what="the first half")
    own.redis.kill()
    for leftover in (tmp_path / "servers" / "redis").rglob("*.aof"):  # the disk is lost, too: no message survives
        leftover.unlink()
    own.redis.start()
    waiting.wait_until(lambda: _fresh(stack, "live", 100), what="fresh shelves of what was committed")
    stack.send(tasks.EVENTS, events)  # what a producer does that was not told of a delivery
    waiting.wait_until(lambda: stack.query(taken) == [(len(events),)], what="the rest")
    waiting.wait_until(lambda: _fresh(stack, "live", 100), what="fresh shelves of everything")
    [(duplicates,)] = stack.query("SELECT sum(duplicates) FROM intake_counts")
    assert duplicates >= half


def test_a_worker_with_a_message_in_hand_outlives_the_broker(stack: Stack, own: Servers) -> None:
    first, second = (list(shop.history(prefix, shoppers=20, each=2)) for prefix in ("first", "second"))
    taken = "SELECT count(*) FROM events WHERE shopper LIKE :like"
    blocked = "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'events'::regclass AND NOT granted"
    with stack.database.begin() as connection:
        connection.execute(text("LOCK TABLE events IN EXCLUSIVE MODE"))
        stack.send(tasks.EVENTS, first)
        waiting.wait_until(lambda: stack.query(blocked) == [(True,)], what="a message in hand")
        own.redis.kill()
    waiting.wait_until(lambda: stack.query(taken, like="first-%") == [(len(first),)], what="the message in hand")
    time.sleep(1)  # its acknowledgement finds no broker
    own.redis.start()
    stack.send(tasks.EVENTS, second)
    waiting.wait_until(lambda: stack.query(taken, like="second-%") == [(len(second),)], what="the next message")
    assert stack.processes["intake"].poll() is None


def test_a_row_that_cannot_be_ranked_is_buried_and_the_rest_goes_on(stack: Stack) -> None:
    with stack.database.begin() as connection:  # a kind from the future, which the model does not know
        connection.execute(text("SELECT ensure_event_partition('2026-03-01')"))
        connection.execute(
            text(
                "INSERT INTO events (event_id, shopper, kind, item_id, at) "
                "VALUES ('x', 'poison', 'teleport', 'item-1', '2026-03-01T00:00:00Z')"
            )
        )
        connection.execute(text("INSERT INTO due (kind, key) VALUES ('shopper', 'poison')"))
    events = list(shop.history("live", shoppers=50, each=2))
    stack.send(tasks.EVENTS, events)
    waiting.wait_until(lambda: _fresh(stack, "live", 50), what="everyone else's shelf, and the burial")
    assert stack.query("SELECT source, key, attempts FROM dead_letters") == [("shopper", "poison", 5)]
