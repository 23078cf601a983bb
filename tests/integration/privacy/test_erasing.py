"""Erasure on a real database: nothing is left, others keep what is theirs, and a kill loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, text

from reshelf import parsing
from storage.fraud import orders
from storage.keys.audit import Actor
from storage.privacy import receipts, stores
from storage.privacy.names import Secret
from storage.tables import metadata
from tests.support import people
from workers import rows
from workers.privacy import erasing, parts, scanning, service
from workers.settings import Settings

ANN, BOB = "ann-4711", "bob-0815"
TEST = Actor("test", via="command")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def asked(database: Engine, settings: Settings) -> Callable[[str], str]:
    """Return a function that begins an erasure and returns the receipt."""

    def ask(user: str) -> str:
        with database.begin() as connection:
            return service.begin(connection, settings, user, TEST)

    return ask


def found(database: Engine, user: str) -> dict[str, int]:
    return scanning.scan(user, engine=database)


def left(database: Engine) -> dict[str, list[Any]]:
    """Return the rows of all tables that have people, but for what says when it was computed."""
    with database.connect() as connection:
        return {
            store.table: sorted(connection.execute(text(f"SELECT CAST(t AS text) FROM {store.table} AS t")).scalars())
            for store in stores.ALL
        }


def deleted(database: Engine, receipt: str) -> dict[str, int]:
    with database.connect() as connection:
        row = receipts.read(connection, receipt)
    assert row is not None
    assert row.done_at is not None
    return dict(row.deleted)


def test_everything_of_a_person_goes_and_everything_of_others_stays(
    database: Engine, settings: Settings, asked: Callable[[str], str]
) -> None:
    people.live_in(database, BOB)
    with database.begin() as connection:
        connection.execute(text("DELETE FROM due WHERE kind IN ('basket', 'item')"))
    before = left(database)
    people.live_in(database, ANN)
    assert len(found(database, ANN)) >= 12
    receipt = asked(ANN)
    assert erasing.work(database, settings)
    assert found(database, ANN) == {}
    assert found(database, f"of-{ANN}") == {}
    with database.begin() as connection:
        connection.execute(text("DELETE FROM due WHERE kind IN ('basket', 'item')"))
    assert left(database) == before
    counts = deleted(database, receipt)
    assert counts["events"] == counts["event_ids"] == 14
    assert counts["dead_letters"] == 3
    assert counts["orders"] == 1
    assert set(counts) == {store.table for store in stores.ALL} | {stores.LETTERS}


def test_orders_are_found_by_an_address_that_is_the_id_however_it_is_spelled(
    database: Engine, settings: Settings, asked: Callable[[str], str]
) -> None:
    taken = [people.order("Eva@Shop.Example", 1), people.order("guest", 2, email="eva@shop.example")]
    with database.begin() as connection:
        parsed = parsing.parse_orders([*taken, people.order("eva", 3)])
        orders.write(connection, [orders.as_row(rows.order_row(one)) for one in parsed.good])
    asked("Eva@Shop.Example")
    assert erasing.work(database, settings)
    with database.connect() as connection:
        assert connection.execute(text("SELECT order_id FROM orders")).scalars().all() == ["order-eva-3"]


def test_the_receipt_and_the_audit_trail_name_nobody(
    database: Engine, settings: Settings, asked: Callable[[str], str]
) -> None:
    people.live_in(database, ANN)
    receipt = asked(ANN)
    assert asked(ANN) == receipt
    tables = {place.partition(".")[0] for place in found(database, ANN)}
    assert tables.isdisjoint({"erasures", "erased_names", "audit_log"})
    assert erasing.work(database, settings)
    with database.connect() as connection:
        assert connection.execute(text("SELECT sealed FROM erasures")).scalar() is None
    assert asked(ANN) != receipt


def test_a_kill_after_any_step_leaves_an_erasure_that_the_next_process_ends(
    database: Engine, settings: Settings, asked: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    people.live_in(database, ANN)
    receipt = asked(ANN)
    steps = erasing.STEPS
    for done in range(len(steps) + 1):

        def killed(*_: Any) -> Any:
            raise KeyboardInterrupt

        monkeypatch.setattr(erasing, "STEPS", (*steps[:done], killed))
        with pytest.raises(KeyboardInterrupt):
            erasing.work(database, settings)
    monkeypatch.setattr(erasing, "STEPS", steps)
    assert erasing.work(database, settings)
    assert found(database, ANN) == {}
    counts = deleted(database, receipt)
    assert (counts["events"], counts["orders"], counts["dead_letters"]) == (14, 1, 3)


def test_with_another_secret_nobody_is_erased_and_the_fix_is_said(
    database: Engine, settings: Settings, asked: Callable[[str], str]
) -> None:
    asked(ANN)
    other = Secret(b"another")
    with database.begin() as connection, pytest.raises(receipts.OtherSecret, match="RESHELF_PRIVACY_SECRET"):
        receipts.begin(connection, other, [BOB])


def test_what_comes_after_the_tombstone_is_known_within_a_second(
    database: Engine, settings: Settings, asked: Callable[[str], str]
) -> None:
    erased = parts.erased(database, settings)
    with database.begin() as connection:
        assert erased.among(connection, [ANN, BOB]) == set()
    people.live_in(database, ANN)
    asked(ANN)
    erased._read_at = float("-inf")
    with database.begin() as connection:
        assert erased.among(connection, [ANN, BOB, f"session:of-{ANN}"]) == {ANN, f"session:of-{ANN}"}
    assert erased.has_order(f"order-{ANN}-1")
    assert not erased.has(f"order-{ANN}-1")


def test_every_table_with_a_column_for_people_is_erased() -> None:
    words = {
        "shopper",
        "customer",
        "customer_id",
        "user_id",
        "user",
        "session_id",
        "owner",
        "email",
        "phone",
        "order_id",
    }
    people_in = {table.name for table in metadata.sorted_tables if words & {column.name for column in table.columns}}
    # `owner` of a key is who is asked about it at the shop.
    assert people_in - {"api_keys"} <= {store.table for store in stores.ALL}


def test_the_scanner_finds_an_id_in_every_kind_of_place(database: Engine, broker_url: str, tmp_path: Path) -> None:
    with database.begin() as connection:
        connection.execute(
            text("CREATE TABLE unknown (t text, j jsonb, b bytea, a text[], n bigint, c char(20), x json)")
        )
        for column, value in {
            "t": f"'hello {ANN}!'", "j": f"""'{{"deep": [{{"{ANN}": 1}}]}}'""", "b": f"convert_to('x {ANN}', 'UTF8')",
            "a": f"ARRAY['a', '{ANN}']", "c": f"'{ANN}'", "x": f"""'["{ANN}"]'""",
        }.items():  # fmt: skip
            connection.execute(text(f"INSERT INTO unknown ({column}) VALUES ({value})"))
    with Redis.from_url(broker_url) as redis:
        redis.set(f"key:{ANN}", 1)
        redis.set("text", f"of {ANN}")
        redis.lpush("list", "x", f'{{"body": "{__import__("base64").b64encode(f"[{ANN}]".encode()).decode()}"}}')
        redis.sadd("set", ANN)
        redis.zadd("sorted", {ANN: 1.0})
        redis.hset("hash", ANN, "v")
        redis.xadd("stream", {"f": ANN})
        (tmp_path / "logs").mkdir()
        (tmp_path / "logs" / "a.log").write_text(f"shopper {ANN} failed\n")
        (tmp_path / f"{ANN}.dump").write_bytes(b"\0" * 100)
        (tmp_path / "crash.bin").write_bytes(b"\0" * (2**20 - 4) + ANN.encode() + b"\0")
        (tmp_path / "postgres").mkdir()
        (tmp_path / "postgres" / "base").write_text(ANN)
        places = scanning.scan(ANN, engine=database, redis=redis, home=tmp_path)
    assert set(places) == {
        *(f"unknown.{column}" for column in "tjbacx"),
        *(f"redis:{key}" for key in (f"key:{ANN}", "text", "list", "set", "sorted", "hash", "stream")),
        "logs/a.log", f"{ANN}.dump", "crash.bin",
    }  # fmt: skip
    assert scanning.scan("ann", engine=database, home=tmp_path) == {}
