"""Intake on a real database: idempotent, order-free, counted."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, select, text

from storage import due, intake
from storage.tables import events, items, shopper_traits
from workers.contract import parsing, rows

START = datetime(2026, 1, 31, 23, 0, tzinfo=UTC)


def _events(count: int) -> list[dict[str, Any]]:
    messages = [
        {
            "event_id": f"e{n}",
            "user_id": f"u{n % 7}",
            "item_id": f"i{n % 5}",
            "kind": ("view", "purchase", "impression")[n % 3],
            "at": (START + timedelta(minutes=n)).isoformat(),
            "context": {"country": ("FR", "DE")[n % 2]},
        }
        for n in range(count)
    ]
    parsed = parsing.parse_events(messages)
    assert not parsed.bad
    return [rows.event_row(event) for event in parsed.good]


def _changes(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    parsed = parsing.parse_changes(messages)
    assert not parsed.bad
    return [rows.change_row(change) for change in parsed.good]


def test_events_are_written_once_and_counted(database: Engine) -> None:
    batch = _events(120)
    with database.begin() as connection:
        first = intake.write_events(connection, batch, writer="w")
    with database.begin() as connection:
        second = intake.write_events(connection, batch[:50] + _events(125)[120:], writer="w", rejected=3)
    assert first == intake.Counts(120, 0, 0)
    assert second == intake.Counts(5, 50, 3)
    with database.connect() as connection:
        assert connection.execute(select(func.count()).select_from(events)).scalar_one() == 125
        assert intake.counts(connection) == {"events": intake.Counts(125, 50, 3)}


def test_events_of_two_months_stand_in_two_partitions(database: Engine) -> None:
    with database.begin() as connection:
        intake.write_events(connection, _events(120), writer="w")
        names = connection.execute(text("SELECT DISTINCT tableoid::regclass::text FROM events ORDER BY 1"))
        assert names.scalars().all() == ["events_2026_01", "events_2026_02"]


def test_shoppers_and_baskets_become_due_but_not_for_impressions(database: Engine) -> None:
    with database.begin() as connection:
        intake.write_events(connection, _events(3), writer="w")
        shoppers = due.claim(connection, due.SHOPPER, limit=10, lease=5)
        baskets = due.claim(connection, due.BASKET, limit=10, lease=5)
    assert {claim.key for claim in shoppers} == {"u0", "u1"}  # u2 was only shown something
    assert {claim.key for claim in baskets} == {"i1"}


def test_a_batch_with_its_own_duplicates_counts_them(database: Engine) -> None:
    batch = _events(10)
    with database.begin() as connection:
        assert intake.write_events(connection, batch + batch, writer="w") == intake.Counts(10, 10, 0)


def test_traits_keep_the_newest_whatever_the_order(database: Engine) -> None:
    batch = _events(40)
    random.Random(1).shuffle(batch)
    with database.begin() as connection:
        for row in batch:
            intake.write_events(connection, [row], writer="w")
        known = {row.shopper: row.value for row in connection.execute(select(shopper_traits))}
    newest = {row["shopper"]: row["context"]["country"] for row in sorted(batch, key=lambda row: row["at"])}
    assert known == newest


def test_changes_converge_in_every_order(database: Engine) -> None:
    def at(minute: int) -> str:
        return (START + timedelta(minutes=minute)).isoformat()

    changes = _changes(
        {
            "kind": "upsert",
            "change_id": "c1",
            "item_id": "i",
            "at": at(1),
            "title": "Phone",
            "price": 9,
            "tags": ["a"],
        },
        {"kind": "price", "change_id": "c2", "item_id": "i", "at": at(2), "price": 8},
        {"kind": "delete", "change_id": "c3", "item_id": "i", "at": at(3)},
        {"kind": "upsert", "change_id": "c4", "item_id": "i", "at": at(4), "title": "Phone 2", "stock": 5},
        {"kind": "stock", "change_id": "c5", "item_id": "i", "at": at(5), "stock": 0},
        {
            "kind": "attributes",
            "change_id": "c6",
            "item_id": "i",
            "at": at(2),
            "attributes": {"colour": "red"},
        },
    )
    seen = set()
    for seed in range(8):
        shuffled = changes.copy()
        random.Random(seed).shuffle(shuffled)
        with database.begin() as connection:
            connection.execute(text("TRUNCATE items, change_ids"))
            for change in shuffled[:3]:
                intake.write_changes(connection, [change], writer="w")
            intake.write_changes(connection, shuffled[3:] + shuffled[:1], writer="w")
            row = connection.execute(select(items)).one()
        seen.add(
            (
                row.title,
                row.price,
                row.stock,
                row.available,
                str(row.attributes),
                str(row.tags),
                row.deleted_at,
            )
        )
    assert seen == {("Phone 2", 8.0, 0, False, "{'colour': 'red'}", "['a']", None)}


def test_an_item_is_available_when_it_has_a_title_and_stock(database: Engine) -> None:
    early = _changes({"kind": "stock", "change_id": "a", "item_id": "i", "at": START.isoformat(), "stock": 3})
    named = _changes({"kind": "upsert", "change_id": "b", "item_id": "i", "at": START.isoformat(), "title": "x"})
    gone = _changes({"kind": "delete", "change_id": "c", "item_id": "i", "at": (START + timedelta(days=1)).isoformat()})
    available = []
    with database.begin() as connection:
        for change in (early, named, gone):
            intake.write_changes(connection, change, writer="w")
            available.append(connection.execute(select(items.c.available)).scalar_one())
    assert available == [False, True, False]
