"""An upgrade: the database, the model and the queued messages of the version before, with the processes of this one."""

from __future__ import annotations

import base64
import json
import tarfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import psycopg
import pytest
from redis import Redis
from sqlalchemy import make_url

from model import artifact
from model.recommend.training import finetune
from reshelf import tasks
from storage import engine, migrate
from storage.embedded.servers import Servers
from tests.support import stack as stacks
from tests.support import waiting
from tests.support.stack import Stack
from workers import capabilities
from workers import settings as configuration
from workers.recommend.training import data
from workers.registry import model_store

BEFORE = Path(__file__).parent / "upgrade"
QUEUED: dict[str, dict[str, Any]] = json.loads((BEFORE / "redis.json").read_text("utf-8"))
HEAD = "0015"
VERSION = "recommend-20261201T003441-2571bf"
EVENTS = {"queued-0", "queued-1", "queued-2", "queued-new", "plain-1", "plain-2", "held-1", "held-2"}
TRAININGS = {
    tasks.TRAIN, tasks.FINETUNE, tasks.DRIFT, tasks.TRAIN_SEARCH, tasks.UPDATE_SEARCH, tasks.TRAIN_FRAUD,
    tasks.UPDATE_FRAUD, tasks.FRAUD_DRIFT,
}  # fmt: skip
AT = "2026-03-01 09:00:00+00:00"
# As the version before assigned them.
ARMS = {"u0": "popular", "u1": "popular", "u2": "popular", "u3": "control", "u4": "control", "u5": "popular"}


@pytest.fixture(name="stack", scope="module")
def _stack(embedded: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Restored, migrated, and taken over by all processes but those that train."""
    home = tmp_path_factory.mktemp("home")
    with tarfile.open(BEFORE / "models.tar.gz") as packed:
        packed.extractall(home, filter="data")
    url = _restored(embedded)
    migrate.upgrade(url)
    _queue(embedded.broker)
    settings = stacks.settings_for(home, url, embedded.broker, finetune_events=5, screen_deadline_ms=1_000)
    stack = Stack(settings, engine.connect(url))
    try:
        for name in ("intake", "recommend", "background", "search", "fraud"):
            stack.start(name, "worker", name)
        stack.start("gateway", "gateway")
        yield stack
    finally:
        stack.stop()
        stack.database.dispose()


def _restored(embedded: Servers) -> str:
    """Return the URL of a database that holds what was dumped."""
    administrator = make_url(embedded.database)
    url = administrator.set(database=f"before_{uuid.uuid4().hex[:12]}").render_as_string(hide_password=False)
    name = make_url(url).database
    with psycopg.connect(administrator.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(url) as connection:
        connection.execute((BEFORE / "database.sql").read_text("utf-8"))
    with psycopg.connect(url, autocommit=True) as connection:
        # An upgrade in place goes on counting transactions; the numbers of some stand in the tables.
        connection.execute(
            "DO $$ BEGIN WHILE CAST(CAST(pg_current_xact_id() AS text) AS bigint)"
            " < (SELECT max(changed_xid) FROM items) LOOP COMMIT; END LOOP; END $$"
        )
    return url


def _queue(broker: str) -> None:
    """Put all keys back. The worker whose message is not acknowledged died an hour ago."""
    with Redis.from_url(broker) as redis:
        redis.flushall()
        for key, messages in QUEUED["list"].items():
            redis.rpush(key, *messages)
        for key, members in QUEUED["set"].items():
            redis.sadd(key, *members)
        for key, values in QUEUED["hash"].items():
            redis.hset(key, mapping=values)
        for key, scores in QUEUED["zset"].items():
            redis.zadd(key, dict.fromkeys(scores, time.time() - 3600))


def _messages() -> Iterator[dict[str, Any]]:
    for messages in QUEUED["list"].values():
        yield from map(json.loads, messages)
    for held in QUEUED["hash"]["unacked"].values():
        yield json.loads(held)[0]


def _left(stack: Stack) -> dict[str, int]:
    """Return how many messages are on each list of Redis, and in the hands of workers."""
    with Redis.from_url(str(stack.settings.broker_url), decode_responses=True) as redis:
        found = {key: redis.llen(key) for key in sorted(redis.scan_iter()) if redis.type(key) == "list"}
        return found | ({"unacked": redis.hlen("unacked")} if redis.exists("unacked") else {})


def _result(stack: Stack, task_id: str) -> dict[str, Any] | None:
    with Redis.from_url(str(stack.settings.broker_url)) as redis:
        kept = redis.get(f"celery-task-meta-{task_id}")
        return None if kept is None else dict(json.loads(kept))


def _untroubled(stack: Stack) -> None:
    """No dead letter but the one that was there, and nothing in any log that went wrong."""
    found = stack.query("SELECT source, key, error FROM dead_letters")
    assert found == [("events", "bad", "Invalid enum value 'viewed'")]
    for name in stack.processes:
        said = stack.installation.log(name).read_text(errors="replace")
        assert "Traceback" not in said, said[-2000:]
        assert "unregistered task" not in said, said[-2000:]


def test_every_task_that_was_queued_is_known() -> None:
    names = {message["headers"]["task"] for message in _messages()}
    assert len(names) == 28
    assert {name for name in names if capabilities.queue_of(name) is None} == set()
    bodies = [json.loads(base64.b64decode(message["body"])) for message in _messages()]
    assert {event["event_id"] for args, _, _ in bodies for rows in args for event in rows if "event_id" in event} == (
        EVENTS
    )


def test_the_rows_of_the_version_before_are_there(embedded: Servers) -> None:
    url = _restored(embedded)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
        tables = [name for (name,) in connection.execute("SELECT relname FROM pg_stat_user_tables").fetchall()]
        before = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in tables}
    migrate.upgrade(url)
    with psycopg.connect(url) as connection:
        after = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in tables}
        assert connection.execute("SELECT kind, key FROM due WHERE kind <> 'reason' ORDER BY 1, 2").fetchall() == [
            ("item", "item-100"), ("order", "left"), ("shopper", "u1"), ("shopper", "u20"),
        ]  # fmt: skip
    assert after == before
    assert {name for name in tables if before[name] == (0,)} <= {"drift_measurements", "version_health"}


def test_queued_messages_have_their_effects(stack: Stack) -> None:
    ids = "SELECT event_id FROM event_ids WHERE event_id = ANY(:ids)"
    waiting.wait_until(lambda: len(stack.query(ids, ids=sorted(EVENTS))) == len(EVENTS), what="queued events")
    named = "SELECT item_id, price, deleted_at IS NOT NULL FROM items WHERE item_id = ANY(:ids) ORDER BY item_id"
    changed = stack.query(named, ids=["item-3", "item-4", "item-101"])
    assert changed == [("item-101", 111.0, False), ("item-3", 99.5, False), ("item-4", 14.0, True)]
    assert stack.query("SELECT order_id, kind FROM order_labels WHERE label_id = 'l-2'") == [("o-2", "cleared")]
    through = "SELECT owner FROM rankings WHERE surface = 'home' AND through = :at ORDER BY owner"
    shoppers = [("u1",), ("u2",), ("u20",), ("u3",), ("u30",), ("u4",)]
    waiting.wait_until(lambda: stack.query(through, at=AT) == shoppers, what="shelves of those who did something")
    waiting.wait_until(lambda: _left(stack).keys() <= {"train"}, what="no message left but those that train")
    waiting.wait_until(stack.is_idle, what="nothing due that somebody waits for")
    _untroubled(stack)


def test_orders_that_were_left_and_queued_are_decided(stack: Stack) -> None:
    decided = "SELECT count(*) FROM orders WHERE place = 0"
    waiting.wait_until(lambda: stack.query(decided) == [(0,)], what="the order that was left")
    waiting.wait_until(lambda: _result(stack, "screen-queued") is not None, what="an answer to the order that waited")
    answer = (_result(stack, "screen-queued") or {})["result"]
    assert [(one["order_id"], one["decision"]) for one in answer["screenings"]] == [("queued", "review")]
    assert answer["rejected"] == []
    reviews = stack.get("/v1/reviews")["reviews"]
    assert {one["order_id"] for one in reviews} == {"o-2", "queued"}
    _untroubled(stack)


def test_the_gateway_serves_what_was_ranked_searched_and_tried_before(stack: Stack) -> None:
    shelves = {shopper: stack.get(f"/v1/users/{shopper}/recommendations") for shopper in ARMS}
    assert {shopper: shelf["arm"] for shopper, shelf in shelves.items()} == ARMS
    served = {"control": "personal", "popular": "popular"}
    assert {shelf["source"] == served[shelf["arm"]] for shelf in shelves.values()} == {True}
    assert min(len(shelf["items"]) for shelf in shelves.values()) > 0
    found = stack.get("/v1/search?q=lamp")["items"]
    assert {one["item_id"] for one in found} == {"item-1", "item-5", "item-9", "item-13", "item-101"}
    assert "item-4" not in {one["item_id"] for one in stack.get("/v1/search?q=phone")["items"]}
    assert [one["shopper"] for one in stack.get("/v1/actors")["actors"]] == ["u7"]
    assert [arm["name"] for arm in stack.get("/v1/experiments/layout")["arms"]] == ["control", "popular"]


def test_trainings_that_were_queued_are_done(stack: Stack) -> None:
    for name in list(stack.processes):
        stack.kill(name)  # they would follow what is trained
    stack.start("train", "worker", "train")
    ids = [message["headers"]["id"] for message in _messages() if message["headers"]["task"] in TRAININGS]
    assert set(ids) == TRAININGS
    for task in TRAININGS - {tasks.TRAIN}:
        waiting.wait_until(lambda task=task: _is_done(stack, task), what=f"{task} is done")
    assert stack.query("SELECT how FROM model_versions WHERE capability = 'search'") == [("full",)]
    # The recommender's own is the last, and takes longest: an epoch of it will do.
    log = stack.installation.log("train")
    waiting.wait_until(lambda: "train: epoch 1 of" in log.read_text(errors="replace"), what="an epoch of training")
    assert "train" not in _left(stack)
    _untroubled(stack)


def test_the_model_goes_on_learning_from_its_weights_and_moments(stack: Stack) -> None:
    saved = artifact.load(configuration.model_folder(stack.settings.home, VERSION))
    moments = artifact.load_arrays(model_store.moments(stack.settings.home, VERSION))
    learned = finetune.restored(saved, data.read(stack.database).items, moments)
    steps = [int(leaf) for leaf in jax.tree.leaves(learned.optimizer) if not leaf.shape]
    assert min(steps) > 0


def _is_done(stack: Stack, task_id: str) -> bool:
    found = _result(stack, task_id)
    assert found is None or found["status"] == "SUCCESS", found
    return found is not None
