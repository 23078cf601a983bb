"""Bulk intake has the effect of intake, and a second load adds nothing."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from sqlalchemy import Connection, Engine, text

from storage.events import bulk, intake
from workers.cli import main
from workers.load import service

_TABLES = {
    "events": "event_id, shopper, kind, item_id, at, value, quantity, session_id, surface, request_id, query, basket",
    "event_ids": "event_id, at",
    "shopper_traits": "shopper, name, value, at",
    "due": "kind, key, attempts, claimed_until",
    "intake_counts": "writer, door, written, duplicates, rejected",
    "items": "item_id, title, price, tags, announced_at, deleted_at, stamps",
}
_EMPTY = text("TRUNCATE events, event_ids, shopper_traits, due, intake_counts, items, change_ids")


def _contents(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: sorted((tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {table}"))), key=repr)
        for table, columns in _TABLES.items()
    }


def _events(count: int, seed: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    start = datetime(2024, 1, 30, tzinfo=UTC)
    return [
        {
            "event_id": f"e{chance.randrange(count)}",
            "shopper": f"u{chance.randrange(20)}",
            "kind": chance.choice(["impression", "view", "purchase", "search"]),
            "item_id": chance.choice(["i1", "i\t2", 'i"3\\']),
            "at": start + timedelta(hours=chance.randrange(100)),
            "value": chance.choice([None, 1.5]),
            "quantity": 2.0,
            "session_id": chance.choice([None, "s1"]),
            "surface": None,
            "request_id": None,
            "query": chance.choice([None, "lamp\nshade"]),
            "rank": chance.choice([None, 3]),
            "context": chance.choice([{}, {"country": chance.choice("ABC"), "segment": "x"}]),
        }
        for _ in range(count)
    ]


def test_bulk_and_intake_leave_the_same_tables(database: Engine) -> None:
    contents, counts = [], []
    changes = [
        {
            "change_id": f"c{n}", "item_id": f"i{n % 3}", "at": datetime(2024, 1, 1 + n, tzinfo=UTC),
            "fields": {"title": f"t{n}", "price": n, "tags": ["a"], "deleted_at": None}, "announces": True,
        }
        for n in range(7)
    ]  # fmt: skip
    for in_bulk in (False, True):
        with database.begin() as connection:
            connection.execute(_EMPTY)
            for seed in (1, 2):
                rows = _events(500, seed)
                if in_bulk:
                    intake.ensure_months(connection, [row["at"] for row in rows])
                    packed = [{**row, "context": json.dumps(row["context"])} for row in rows]
                    tuples = [tuple(row[name] for name in bulk.EVENT_COLUMNS) for row in packed]
                    counts.append(bulk.write_events(connection, tuples, writer="w", rejected=3))
                    bulk.write_changes(connection, changes, writer="w")
                else:
                    counts.append(intake.write_events(connection, rows, writer="w", rejected=3))
                    intake.write_changes(connection, changes, writer="w")
            contents.append(_contents(connection))
    assert contents[0] == contents[1]
    assert counts[:2] == counts[2:]
    assert len(contents[0]["events"]) > 300


def test_a_second_load_adds_nothing(database: Engine, tmp_path: Path) -> None:
    lines = [f"ann,{n % 7},2024-0{1 + n % 3}-01" for n in range(50)]
    (tmp_path / "events.csv").write_text("\n".join(["user_id,item_id,at", *lines, "bob,,2024-01-01"]))
    (tmp_path / "items.csv").write_text("item_id,title\n" + "\n".join(f"{n},Lamp {n}" for n in range(6)))
    files = service.sources(tmp_path, None)
    seen: list[int] = []
    first = [service.write(database, service.read(file), seen.append) for file in files]
    assert [(one.changes.written, one.events.written, one.events.rejected) for one in first] == [(6, 0, 0), (0, 50, 1)]
    assert seen == [6, 50]
    with database.connect() as connection:
        before = _contents(connection)
        assert bulk.unlisted_items(connection) == 1
    second = [service.write(database, service.read(file)) for file in files]
    assert [(one.changes.duplicates, one.events.duplicates) for one in second] == [(6, 0), (0, 50)]
    with database.connect() as connection:
        after = _contents(connection)
        assert intake.counts(connection)["events"] == intake.Counts(50, 50, 2)
    assert {**before, "intake_counts": []} == {**after, "intake_counts": []}
    assert {(kind, key) for kind, key, *_ in after["due"]} >= {("shopper", "ann"), ("basket", "3"), ("item", "3")}


def test_the_command_prints_counts_and_readable_errors(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("user_id,item_id,at\nann,1,2024-01-01\nann,2,never\n")
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_HOME": str(tmp_path)}
    done = CliRunner().invoke(main, ["load", str(path), "--json"], env=environ, catch_exceptions=False)
    report = json.loads(done.stdout)
    assert done.exit_code == 0
    assert report["files"][0]["rejected"] == {"unreadable time": 1}
    assert (report["files"][0]["read"], report["files"][0]["kept"], report["items_without_catalogue_row"]) == (2, 1, 1)
    table = CliRunner().invoke(main, ["load", str(path)], env=environ)
    assert "left out: unreadable time" in table.stdout
    assert "1 were there already" in table.stdout
    path.write_text("user_id,item_id\nann,1\n")
    failed = CliRunner().invoke(main, ["load", str(path)], env=environ)
    assert failed.exit_code == 1
    assert "needs a column `at` or `timestamp` or `position`; it has user_id, item_id" in failed.stderr


def test_the_command_says_what_it_decided_and_takes_what_is_said(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_HOME": str(tmp_path)}

    def run(*options: str) -> Result:
        return CliRunner().invoke(main, ["load", str(path), *options], env=environ)

    path.write_bytes(
        "item_id;title;price;at\n1;Škoda;$2,5;05/06/2025\n2;Hrnek;3,5;\n3;Vá\x9aa;x;\n".encode("cp1250", "replace")
    )
    thin = run("--json")
    assert (thin.exit_code, "say --encoding, one of" in thin.stderr) == (1, True)
    done = run("--encoding", "cp1250", "--day-first", "--currency", "cad", "--json")
    [file] = json.loads(done.stdout)["files"]
    assert (done.exit_code, file["encoding"], file["separator"], file["kept"]) == (
        0,
        "cp1250 (as asked)",
        "semicolon",
        2,
    )
    assert file["reasons"][0]["first_lines"] == [4]
    assert "price=x" in file["reasons"][0]["example"]
    table = run("--encoding", "cp1250", "--day-first").stdout
    assert "items.csv (items, cp1250 (as asked), semicolon between)" in table
    assert "bad price, line 4: item_id=3" in table
    wrong = run("--currency", "BTX")
    assert (wrong.exit_code, "'BTX' is no currency" in wrong.stderr) == (2, True)


def test_a_file_of_which_nothing_can_be_loaded_fails_and_writes_nothing(
    database: Engine, database_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    path.write_text("user_id,item_id,at\n" + "ann,1,05/06/2024\n" * 5)
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_HOME": str(tmp_path)}
    failed = CliRunner().invoke(main, ["load", str(path), "--json"], env=environ)
    assert failed.exit_code == 1
    assert "none of its 5 lines can be loaded" in failed.stderr
    assert "--day-first" in failed.stderr
    assert json.loads(failed.stdout)["files"][0]["kept"] == 0
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM events")).scalar_one() == 0
    orders = tmp_path / "orders.csv"
    orders.write_text("order_id,customer_id,at,amount\n" + "".join(f"o{n},c,2030-01-01,5\n" for n in range(5)))
    failed = CliRunner().invoke(main, ["load", "--orders", str(orders), "--json"], env=environ)
    assert (failed.exit_code, "5 lines: time out of range" in failed.stderr) == (1, True)
