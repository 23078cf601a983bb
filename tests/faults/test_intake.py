"""The queue of data messages: a worker that is killed loses none, and what is no message harms no other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import text

from reshelf import tasks
from tests.support import shop as shops
from tests.support import stack as stacks
from tests.support import waiting
from tests.support.stack import Stack

WAITING = "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'event_ids'::regclass AND NOT granted"
TAKEN = "SELECT count(*), count(DISTINCT event_id) FROM events WHERE shopper LIKE 'live-%'"


@pytest.fixture(name="stack")
def _stack(tmp_path: Path, database_url: str, broker_url: str) -> Iterator[Stack]:
    settings = stacks.settings_for(tmp_path, database_url, broker_url)
    with stacks.running(settings, "intake") as stack:
        yield stack


def test_messages_in_the_hand_of_a_killed_worker_are_taken_by_the_next(stack: Stack) -> None:
    events = list(shops.history("live", shoppers=50, each=4))
    stack.send(tasks.EVENTS, events[:1])
    waiting.wait_until(lambda: stack.query(TAKEN) == [(1, 1)], what="the first event")
    for kill in range(3):
        with stack.database.begin() as connection:
            connection.execute(text("LOCK TABLE event_ids IN EXCLUSIVE MODE"))
            for event in events[1 + 50 * kill : 51 + 50 * kill]:
                stack.send(tasks.EVENTS, [event])
            waiting.wait_until(lambda: stack.query(WAITING) == [(True,)], what="messages in hand")
            stack.kill("intake")
        stack.start("intake", "worker", "intake")
        count = 51 + 50 * kill
        took = waiting.wait_until(lambda count=count: stack.query(TAKEN) == [(count, count)], what="all of them")
        assert took < 60
    with Redis.from_url(str(stack.settings.broker_url)) as redis:
        assert redis.llen(tasks.INTAKE_QUEUE) == 0
    assert stack.query("SELECT count(*) FROM dead_letters") == [(0,)]


def test_a_worker_empties_a_redis_that_is_full(stack: Stack) -> None:
    events = list(shops.history("live", shoppers=10, each=4))
    sender = stacks.client.sender(str(stack.settings.broker_url))
    stack.send(tasks.EVENTS, events[:1])
    waiting.wait_until(lambda: stack.query(TAKEN) == [(1, 1)], what="the first event")
    with Redis.from_url(str(stack.settings.broker_url)) as redis:
        try:
            with stack.database.begin() as connection:
                connection.execute(text("LOCK TABLE event_ids IN EXCLUSIVE MODE"))
                stack.send(tasks.EVENTS, events[1:2])
                waiting.wait_until(lambda: stack.query(WAITING) == [(True,)], what="a message in hand")
                for event in events[2:]:
                    sender.send_task(tasks.EVENTS, args=[[event]])
                redis.config_set("maxmemory", 1)
            waiting.wait_until(lambda: stack.query(TAKEN) == [(40, 40)], what="all of them")
        finally:
            redis.config_set("maxmemory", 0)
    assert stack.processes["intake"].poll() is None
    sender.close()


def test_what_is_no_message_becomes_a_letter_and_what_is_for_others_goes_to_them(stack: Stack) -> None:
    events = list(shops.history("live", shoppers=10, each=2))
    sender = stacks.client.sender(str(stack.settings.broker_url))
    with Redis.from_url(str(stack.settings.broker_url)) as redis:
        redis.lpush(tasks.INTAKE_QUEUE, "no message", json.dumps({"body": "e30=", "headers": {}}))
        sender.send_task("shop.of.another", args=[[]], queue=tasks.INTAKE_QUEUE)
        sender.send_task(tasks.REFRESH_SHOPPERS, queue=tasks.INTAKE_QUEUE, expires=300)
        stack.send(tasks.EVENTS, events)
        waiting.wait_until(lambda: stack.query(TAKEN) == [(20, 20)], what="the events")
        # One was forwarded, and one rung for by the events.
        waiting.wait_until(lambda: redis.llen(tasks.REFRESH_QUEUE) >= 1, what="the task of another queue")
        assert redis.llen(tasks.INTAKE_QUEUE) == 0
    sender.close()
    letters = stack.query("SELECT source, error, payload FROM dead_letters ORDER BY id")
    assert [source for source, _, _ in letters] == ["queue"] * 3
    assert "no task is called shop.of.another" in [error for _, error, _ in letters]
    assert '"no message"' in [payload for _, _, payload in letters]


def test_messages_wait_for_tables_that_are_not_there(stack: Stack) -> None:
    events = list(shops.history("live", shoppers=10, each=2))
    with stack.database.begin() as connection:
        connection.execute(text("ALTER TABLE event_ids RENAME TO hidden_ids"))
    stack.send(tasks.EVENTS, events)
    log = stack.installation.log("intake")
    waiting.wait_until(lambda: "wait for the database" in log.read_text(), what="the worker to say so")
    with stack.database.begin() as connection:
        connection.execute(text("ALTER TABLE hidden_ids RENAME TO event_ids"))
    waiting.wait_until(lambda: stack.query(TAKEN) == [(20, 20)], what="the events")
