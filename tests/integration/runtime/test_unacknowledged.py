"""What a worker has in hand, on a real Redis: noted in the step that takes it, and given to others when it dies."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from kombu import Connection
from redis import Redis

from tests.support import waiting
from workers.runtime import broker, unacknowledged

UNACKED, INDEX = unacknowledged.KEYS["unacked_key"], unacknowledged.KEYS["unacked_index_key"]


@pytest.fixture(name="redis")
def _redis(broker_url: str) -> Iterator[Redis]:
    with Redis.from_url(broker_url) as client:
        yield client


class Consumer:
    """Consumes from queues as a worker does, and acknowledges only when told to."""

    def __init__(self, connection: Any, *queues: str) -> None:
        self.connection = connection
        self.channel = connection.channel()
        self.messages: list[Any] = []
        for queue in queues:
            connection.SimpleQueue(queue).close()
            self.channel.basic_consume(queue, False, self.messages.append, consumer_tag=queue)

    def read(self, seconds: float = 0.5) -> list[Any]:
        """Return what came in so many seconds, decoded."""
        before = len(self.messages)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(TimeoutError):
                self.connection.drain_events(timeout=0.1)
        return [message.decode() for message in self.messages[before:]]


@contextmanager
def connected(broker_url: str, visibility_timeout: float = 10) -> Iterator[Any]:
    options = {**unacknowledged.KEYS, "visibility_timeout": visibility_timeout, "unacked_restore_throttle": 1}
    broker.install()
    with Connection(broker_url, transport_options=options) as connection:
        yield connection


def put(connection: Any, queue: str, body: Any, **options: Any) -> None:
    with connection.SimpleQueue(queue) as sender:
        sender.put(body, serializer="json", **options)


def test_a_message_is_noted_in_the_step_that_takes_it(broker_url: str, redis: Redis) -> None:
    with connected(broker_url) as connection:
        put(connection, "q", {"n": 1})
        raw = redis.lindex("q", 0)
        assert unacknowledged.take(redis, UNACKED, INDEX, ["empty", "q"]) == ("q", raw)
        tag = json.loads(raw)["properties"]["delivery_tag"]
        message, _, routing_key = json.loads(redis.hget(UNACKED, tag))
        assert (message, routing_key) == (json.loads(raw), "q")
        assert redis.llen("q") == 0 < redis.zscore(INDEX, tag)
        assert unacknowledged.take(redis, UNACKED, INDEX, ["empty", "q"]) is None


def test_messages_come_in_order_from_every_queue_and_priority_and_leave_nothing(broker_url: str, redis: Redis) -> None:
    with connected(broker_url) as connection:
        reader = Consumer(connection, "one", "two")
        for n in range(3):
            put(connection, "one", f"one-{n}")
            put(connection, "two", f"two-{n}", priority=6)
        read = reader.read(4.0)
        assert [body for body in read if body.startswith("one")] == ["one-0", "one-1", "one-2"]
        assert [body for body in read if body.startswith("two")] == ["two-0", "two-1", "two-2"]
        assert redis.hlen(UNACKED) == redis.zcard(INDEX) == 6
        for message in reader.messages:
            message.ack()
        assert redis.exists(UNACKED, INDEX, "one", "two") == 0


def test_what_a_living_worker_has_in_hand_stays_however_long_it_takes(broker_url: str, redis: Redis) -> None:
    with connected(broker_url, visibility_timeout=3) as mine, connected(broker_url, visibility_timeout=3) as other:
        put(mine, "q", "long")
        holder = Consumer(mine, "q")
        assert holder.read() == ["long"]
        assert Consumer(other, "q").read(6.0) == []
        assert redis.hlen(UNACKED) == 1


def test_what_a_dead_worker_had_in_hand_goes_to_another_once(broker_url: str, redis: Redis) -> None:
    with connected(broker_url, visibility_timeout=3) as connection:
        put(connection, "q", "of the dead")
        assert unacknowledged.take(redis, UNACKED, INDEX, ["q"]) is not None  # by somebody who renews nothing
        other = Consumer(connection, "q")
        waiting.wait_until(lambda: other.read() == ["of the dead"], what="the message")
        assert other.read(4.0) == []
        other.messages[0].ack()
        assert redis.exists(UNACKED, INDEX, "q") == 0


def test_what_a_worker_leaves_is_delivered_again_and_takes_no_room(broker_url: str, redis: Redis) -> None:
    with connected(broker_url, visibility_timeout=2) as connection:
        put(connection, "q", "one")
        reader = Consumer(connection, "q")
        reader.channel.basic_qos(0, 1, False)
        assert reader.read() == ["one"]
        unacknowledged.leave(reader.messages[0])
        assert redis.hlen(UNACKED) == 1
        waiting.wait_until(lambda: reader.read() == ["one"], what="the message again")
        reader.messages[1].ack()
        assert redis.exists(UNACKED, INDEX, "q") == 0


def test_a_full_redis_is_emptied_and_what_is_in_hand_stays(broker_url: str, redis: Redis) -> None:
    with (
        connected(broker_url, visibility_timeout=3) as connection,
        connected(broker_url, visibility_timeout=3) as other,
    ):
        put(connection, "q", "one")
        reader, idle = Consumer(connection, "q"), Consumer(other, "q")
        idle.channel.basic_cancel("q")
        redis.config_set("maxmemory", 1)
        try:
            waiting.wait_until(lambda: reader.read() == ["one"], what="the message")
            assert reader.read(5.0) == []
            reader.messages[0].ack()
        finally:
            redis.config_set("maxmemory", 0)
        assert redis.exists(UNACKED, INDEX, "q") == 0


def test_the_messages_of_other_applications_on_the_same_redis_are_left_alone(broker_url: str, redis: Redis) -> None:
    redis.zadd("unacked_index", {"theirs": 1.0})
    redis.hset("unacked", "theirs", json.dumps([{}, "", "q"]))
    with connected(broker_url, visibility_timeout=1) as connection:
        assert Consumer(connection, "q").read(2.0) == []
    assert redis.hexists("unacked", "theirs")


def test_what_a_worker_of_an_older_version_died_with_goes_to_another(broker_url: str, redis: Redis) -> None:
    with connected(broker_url, visibility_timeout=3) as connection:
        for task in ("reshelf.learn.train", "theirs"):
            put(connection, "q", task, headers={"task": task})
            raw = json.loads(redis.rpop("q"))
            redis.hset("unacked", raw["properties"]["delivery_tag"], json.dumps([raw, "", "q"]))
            redis.zadd("unacked_index", {raw["properties"]["delivery_tag"]: time.time() - 3600})
        reader = Consumer(connection, "q")
        waiting.wait_until(lambda: reader.read() == ["reshelf.learn.train"], what="the message")
        assert reader.read(4.0) == []
        assert redis.hlen("unacked") == redis.zcard("unacked_index") == 1
