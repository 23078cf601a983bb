"""The producer against a real Redis: what it says it delivered is there, what it could not deliver it says."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from redis import Redis

from reshelf import producer as producing
from reshelf import tasks
from reshelf.producer import Producer, Report

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def _queued(broker_url: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the (task, rows) of every message that waits, oldest first."""
    with Redis.from_url(broker_url) as redis:
        messages = [json.loads(raw) for raw in reversed(redis.lrange(tasks.INTAKE_QUEUE, 0, -1))]
    return [(message["headers"]["task"], json.loads(b64decode(message["body"]))[0][0]) for message in messages]


def _event(n: int) -> dict[str, Any]:
    return {"event_id": f"e{n}", "kind": "view", "at": NOW, "user_id": "u", "item_id": "i"}


def test_rows_go_out_in_batches_and_are_counted(broker_url: str) -> None:
    with Producer(broker_url, batch_size=100, linger=5) as producer:
        for n in range(250):
            producer.event(**_event(n))
        producer.change(kind="price", change_id="c", item_id="i", at=NOW, price=3)
        assert producer.flush() == Report(251, 0, 0)
    queued = _queued(broker_url)
    sent = [row["event_id"] for task, rows in queued if task == tasks.EVENTS for row in rows]
    assert sent == [f"e{n}" for n in range(250)]
    assert sorted(len(rows) for _, rows in queued) == [1, 50, 100, 100]


def test_rows_wait_for_a_redis_that_is_full(broker_url: str) -> None:
    with Redis.from_url(broker_url) as redis, Producer(broker_url, linger=0.01) as producer:
        redis.config_set("maxmemory", 1)
        try:
            producer.event(**_event(1))
            time.sleep(0.5)
        finally:
            redis.config_set("maxmemory", 0)
        assert producer.flush() == Report(1, 0, 0)


# A shop whose own Celery has a connection in use when the producer sends for the first time.
BESIDE_CELERY = """
import sys
from datetime import UTC, datetime
from celery import Celery
from kombu import pools
from reshelf import Producer
shop = Celery("shop", broker=sys.argv[1], broker_pool_limit=int(sys.argv[2]))
with shop.pool.acquire(block=True), Producer(sys.argv[1]) as producer:
    producer.event(event_id="e1", kind="view", at=datetime.now(UTC), user_id="u", item_id="i")
    report = producer.flush()
print(report.delivered, report.undelivered, pools.get_limit())
"""


@pytest.mark.parametrize("limit", [3, 10, 20])
def test_a_shop_that_uses_celery_itself_keeps_its_pool_of_connections(broker_url: str, limit: int) -> None:
    command = [sys.executable, "-c", BESIDE_CELERY, broker_url, str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == f"1 0 {limit}\n", done.stderr


def test_a_lone_row_goes_out_after_the_linger(broker_url: str) -> None:
    producer = Producer(broker_url, linger=0.01)
    producer.event(**_event(1))
    with Redis.from_url(broker_url) as redis:
        assert redis.brpop([tasks.INTAKE_QUEUE], timeout=10) is not None
    producer.close()


def test_a_bad_event_is_refused_at_once(broker_url: str) -> None:
    with Producer(broker_url) as producer:
        with pytest.raises(msgspec.ValidationError, match="item_id"):
            producer.event(event_id="e", kind="view", at=NOW, user_id="u")
        assert producer.flush() == Report(0, 0, 0)


def test_what_cannot_be_delivered_is_counted_and_handed_back() -> None:
    given_up: list[tuple[str, list[dict[str, Any]]]] = []
    producer = Producer(
        "redis://127.0.0.1:1/0",  # nothing listens there
        max_attempts=2,
        max_pending=3,
        on_undelivered=lambda task, rows, _: given_up.append((task, rows)),
    )
    for n in range(4):
        producer.event(**_event(n))
    assert producer.close() == Report(0, 4, 0)
    assert sorted(row["event_id"] for _, rows in given_up for row in rows) == ["e0", "e1", "e2", "e3"]


def test_it_flushes_when_the_interpreter_ends(broker_url: str) -> None:
    program = (
        "import sys; from reshelf.producer import Producer; from datetime import datetime, UTC\n"
        "Producer(sys.argv[1], linger=60).event("
        "event_id='last', kind='view', at=datetime.now(UTC), user_id='u', item_id='i')"
    )
    subprocess.run([sys.executable, "-c", program, broker_url], check=True, timeout=60)
    assert [row["event_id"] for _, rows in _queued(broker_url) for row in rows] == ["last"]


def test_backoff_grows_to_a_limit() -> None:
    waits = [producing.backoff(attempt) for attempt in range(12)]
    assert all(wait <= 5.0 for wait in waits)
    assert 0.05 <= waits[0] <= 0.1
    assert waits[11] >= 2.5
