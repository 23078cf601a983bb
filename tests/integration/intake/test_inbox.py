"""The inbox on a real Redis: what a process had in hand when it died is taken again, and nothing else is so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError

from workers.intake import inbox
from workers.intake.inbox import Inbox

QUEUE = "intake"


@pytest.fixture
def redis(broker_url: str) -> Iterator[Redis]:
    with Redis.from_url(broker_url) as client:
        yield client


def _opened(broker_url: str, reader: str) -> Inbox:
    made = Inbox(broker_url, QUEUE, reader=reader)
    made.open()
    return made


def test_messages_come_in_the_order_in_which_they_were_sent(broker_url: str, redis: Redis) -> None:
    for n in range(5):
        redis.lpush(QUEUE, f"m{n}")
    mine = _opened(broker_url, "a")
    assert mine.take() == [b"m0", b"m1", b"m2", b"m3", b"m4"]
    assert mine.take() == []
    assert redis.keys("reshelf:intake:hand:*") == []  # what is done is gone


def test_a_message_of_any_priority_is_taken(broker_url: str, redis: Redis) -> None:
    for key in (QUEUE, f"{QUEUE}\x06\x163", f"{QUEUE}\x06\x166", f"{QUEUE}\x06\x169"):
        redis.lpush(key, f"of {key}")
    assert len(_opened(broker_url, "a").take()) == 4


def test_one_batch_has_an_end(broker_url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "_MOST_BYTES", 3_000)
    for _ in range(5):
        redis.lpush(QUEUE, "x" * 1_000)
    mine = _opened(broker_url, "a")
    assert [len(mine.take()), len(mine.take())] == [3, 2]
    monkeypatch.setattr(inbox, "MOST_MESSAGES", 2)
    redis.lpush(QUEUE, "m0", "m1", "m2")
    assert mine.take() == [b"m0", b"m1"]


def test_who_waits_gets_the_first_message_and_then_what_came_with_it(broker_url: str, redis: Redis) -> None:
    mine = _opened(broker_url, "a")
    assert mine.wait() is None
    redis.lpush(QUEUE, "m0", "m1", "m2")
    assert mine.wait() == b"m0"
    assert mine.take_more() == [b"m1", b"m2"]
    assert redis.llen("reshelf:intake:hand:a") == 3


def test_what_a_dead_process_had_in_hand_is_taken_again_in_order(broker_url: str, redis: Redis) -> None:
    redis.lpush(QUEUE, "m0", "m1", "m2")
    assert len(_opened(broker_url, "dead").take()) == 3
    redis.lpush(QUEUE, "m3")
    mine = _opened(broker_url, "a")
    assert mine.take() == [b"m3"]  # the other one may be at work
    redis.delete("reshelf:intake:alive:dead")
    assert mine.recover() == 3
    assert mine.take() == [b"m0", b"m1", b"m2"]
    assert mine.recover() == 0
    assert redis.smembers("reshelf:intake:readers") == {b"a"}


def test_who_opens_again_finds_what_it_had_in_hand(broker_url: str, redis: Redis) -> None:
    redis.lpush(QUEUE, "m0")
    mine = _opened(broker_url, "a")
    assert mine.take() == [b"m0"]
    mine.open()
    assert mine.take() == [b"m0"]


def test_a_full_redis_is_emptied(broker_url: str, redis: Redis) -> None:
    redis.lpush(QUEUE, "m0", "m1")
    redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(OutOfMemoryError):
            redis.lpush(QUEUE, "m2")
        mine = _opened(broker_url, "a")
        assert mine.wait() is None
        assert mine.take() == [b"m0", b"m1"]
        mine.stay_alive()
        mine.close()
        assert _opened(broker_url, "b").take() == [b"m0", b"m1"]
    finally:
        redis.config_set("maxmemory", 0)


def test_who_goes_leaves_nothing(broker_url: str, redis: Redis) -> None:
    redis.lpush(QUEUE, "m0")
    mine = _opened(broker_url, "a")
    mine.take()
    mine.close()
    assert redis.lrange(QUEUE, 0, -1) == [b"m0"]
    assert redis.keys("reshelf:intake:*") == []
