"""Migrations make the tables that `storage/tables` describes, and lead there from every older schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.dialects import postgresql

from storage import due, engine, migrate
from storage.fraud import orders
from storage.recommend import transitions
from storage.registry import models
from storage.tables import metadata
from tests.support import shelves
from tests.support.shelves import Shelf


def described() -> dict[str, dict[str, tuple[str, bool, bool]]]:
    """Return, for each table and column as the code sees them, the type, and whether it is nullable or computed."""
    return {
        table.name: {
            column.name: (_type(column.type), bool(column.nullable), column.computed is not None)
            for column in table.columns
        }
        for table in metadata.sorted_tables
    }


def found(connection: Connection) -> dict[str, dict[str, tuple[str, bool, bool]]]:
    """Return the same of the tables that are there, but for the partitions of events and Alembic's own."""
    inspector = inspect(connection)
    return {
        name: {
            column["name"]: (_type(column["type"]), column["nullable"], "computed" in column)
            for column in inspector.get_columns(name)
        }
        for name in inspector.get_table_names()
        if name != "alembic_version" and not name.startswith("events_")
    }


def _type(kind: Any) -> str:
    return str(kind.compile(dialect=postgresql.dialect()))


def test_migrations_make_the_tables_that_the_code_sees(database: Engine) -> None:
    with database.connect() as connection:
        assert found(connection) == described()
        for table in metadata.sorted_tables:
            keys = inspect(connection).get_pk_constraint(table.name)["constrained_columns"]
            assert keys == [column.name for column in table.primary_key], table.name


def alembic(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", migrate.scripts().dir)
    url = engine.url_for(database_url, "psycopg").render_as_string(hide_password=False)
    config.set_main_option("sqlalchemy.url", url)
    return config


def test_a_filled_database_goes_back_and_forth(database: Engine, database_url: str) -> None:
    with database.begin() as connection:
        shelves.announce(connection, "a", "x")
        shelves.write(connection, "u", ["a"], because=[("x", "view")])
    command.downgrade(alembic(database_url), "0001")
    with database.connect() as connection:
        assert "because_kinds" not in found(connection)["rankings"]
    migrate.upgrade(database_url)
    with database.connect() as connection:
        assert found(connection) == described()
        kept = shelves.read(connection, "u")
    assert kept is not None
    assert (kept.item_ids, kept.because) == (["a"], None)


def test_shelves_name_their_items_by_id_before_and_by_number_after(database: Engine, database_url: str) -> None:
    reasons = [("x", "view"), None, ("y", "purchase")]
    with database.begin() as connection:
        shelves.announce(connection, *"abcxy")
        shelves.write(connection, "u", ["c", "a", "b"], because=reasons)
        shelves.write(connection, "a", ["b", "c"], surface="similar")
        shelves.write(connection, "empty", [])
        before = [shelves.every(connection, surface) for surface in ("home", "similar")]
    command.downgrade(alembic(database_url), "0013")
    columns = "item_ids, scores, because_item_ids, because_kinds"
    with database.begin() as connection:
        rows = connection.execute(text(f"SELECT owner, {columns} FROM rankings"))
        assert {row.owner: tuple(row)[1:] for row in rows} == {
            "u": (["c", "a", "b"], pytest.approx([1.0, 1 / 2, 1 / 3]), ["x", None, "y"], ["view", None, "purchase"]),
            "a": (["b", "c"], [1.0, 0.5], None, None),
            "empty": ([], [], None, None),
        }
        # As it was written then: numbers only where they were known, and an item that was never announced.
        connection.execute(text("UPDATE rankings SET item_nos = NULL, because_nos = NULL"))
        connection.execute(
            text(
                "INSERT INTO rankings (owner, surface, item_ids, scores, model_version) "
                "VALUES ('v', 'bought_together', '{b,unknown,a}', '{3,2,1}', 'm')"
            )
        )
    migrate.upgrade(database_url)
    with database.connect() as connection:
        assert found(connection) == described()
        assert [shelves.every(connection, surface) for surface in ("home", "similar")] == before
        assert shelves.read(connection, "v", "bought_together") == Shelf(["b", "a"], [3.0, 1.0], "m", None, None)


def test_a_version_of_before_stays_live_without_a_time_that_it_learnt_through(
    database: Engine, database_url: str
) -> None:
    version = "recommend-20260101T000000-abcdef"
    with database.begin() as connection:
        models.register(connection, version, config={}, metrics={}, learnt_through=datetime(2026, 1, 1, tzinfo=UTC))
        models.switch(connection, version)
        transitions.add(connection, {("a", "b"): 1.0})
    command.downgrade(alembic(database_url), "0002")
    with database.connect() as connection:
        assert "transitions" not in found(connection)
        assert "learnt_through" not in found(connection)["model_versions"]
    migrate.upgrade(database_url)
    with database.connect() as connection:
        assert found(connection) == described()
        live = models.hold(connection, version)
        assert live is not None
        assert live.learnt_through is None
        assert transitions.changed_since(connection, 0).rows == []


def test_a_restored_dump_is_read_once(database: Engine, database_url: str) -> None:
    """It counts transactions as the server it came from did, which may be far ahead of this one."""
    with database.begin() as connection:
        transitions.add(connection, {("a", "b"): 1.0})
        connection.execute(text("UPDATE transitions SET changed_xid = changed_xid + 1000000"))
    migrate.upgrade(database_url)
    with database.connect() as connection:
        first = transitions.changed_since(connection, 0)
        assert first.rows == [("a", "b", 1.0)]
        assert transitions.changed_since(connection, first.horizon).rows == []


def test_versions_of_before_the_registry_keep_serving_and_have_a_history(database: Engine, database_url: str) -> None:
    version = "recommend-20260101T000000-abcdef"
    with database.begin() as connection:
        models.register(connection, version, config={}, metrics={}, gate={"passed": True}, digest="abc")
        models.switch(connection, version)
        due.mark(connection, due.ITEM, ["a"])
    command.downgrade(alembic(database_url), "0003")
    with database.connect() as connection:
        assert "model_switches" not in found(connection)
    migrate.upgrade(database_url)
    with database.connect() as connection:
        assert found(connection) == described()
        live = models.live(connection)
        [switch] = models.switches(connection)
        [backlog] = due.summary(connection)
    assert live is not None
    assert (live.version, live.how, live.gate, live.digest) == (version, "full", None, None)
    assert (switch.version, switch.previous, switch.at) == (version, None, live.switched_at)
    assert (backlog.kind, backlog.count) == (due.ITEM, 1)


def test_orders_of_before_are_counted_by_one_spelling_of_their_address(database: Engine, database_url: str) -> None:
    spelled = ["203.0.113.51", "203.0.113.51:5000", "::ffff:203.0.113.51", "2001:DB8::0007", "2001:db8::7", "client"]
    at = int(datetime.now(UTC).timestamp())
    command.downgrade(alembic(database_url), "0015")
    with database.begin() as connection:
        for number, ip in enumerate([*spelled, None]):
            order = {"id": f"o-{number}", "message": json.dumps({"ip": ip}), "ip": orders.digest(ip), "at": at}
            connection.execute(
                text("INSERT INTO orders (order_id, at, tie, customer, ip, cents) VALUES (:id, :at, 1, 1, :ip, 100)"),
                order,
            )
            connection.execute(
                text("INSERT INTO order_messages (order_id, message) VALUES (:id, CAST(:message AS jsonb))"), order
            )
    migrate.upgrade(database_url)
    with database.connect() as connection:
        assert found(connection) == described()
        counted = connection.execute(text("SELECT ip FROM orders ORDER BY order_id")).scalars().all()
    one, other = orders.digest("203.0.113.51"), orders.digest("2001:db8::7")
    assert counted == [one, one, one, other, other, orders.digest("client"), 0]
