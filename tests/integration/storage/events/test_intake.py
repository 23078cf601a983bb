"""Intake on a real database: idempotent, order-free, counted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select, text

from reshelf import parsing
from storage import due, engine
from storage.events import intake
from storage.tables import events, items, shopper_traits
from workers import rows

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


def _event(shopper: str, *, ago: timedelta, kind: str = "click") -> dict[str, Any]:
    at = (datetime.now(UTC) - ago).isoformat()
    message = {"event_id": f"{shopper}-{kind}-{at}", "user_id": shopper, "item_id": "i", "kind": kind, "at": at}
    parsed = parsing.parse_events([message])
    assert not parsed.bad
    return rows.event_row(parsed.good[0])


def _claimed(connection: Connection, kind: str = due.SHOPPER) -> list[str]:
    """Return the keys of a kind in the order of their turns."""
    found: list[str] = []
    while claims := due.claim(connection, kind, limit=1, lease=30):
        found += [claim.key for claim in claims]
    return found


def test_who_did_something_long_ago_comes_after_who_is_there_now(database: Engine) -> None:
    ages = {"late": timedelta(minutes=61), "late and now": timedelta(days=9), "nearly late": timedelta(minutes=59)}
    with database.begin() as connection:
        intake.write_events(connection, [_event(shopper, ago=ago) for shopper, ago in ages.items()], writer="w")
        intake.write_events(connection, [_event("past", ago=timedelta(days=40), kind="purchase")], writer="w")
        both = [_event("late and now", ago=timedelta(hours=3)), _event("late and now", ago=timedelta())]
    with database.begin() as connection:
        intake.write_events(connection, both, writer="w")
    with database.begin() as connection:
        intake.write_events(connection, [_event("now", ago=timedelta())], writer="w")
        ahead = connection.execute(
            text("SELECT key, since > now() + interval '59 minutes' FROM due WHERE kind = 'shopper'")
        )
        assert {key for key, is_ahead in ahead if is_ahead} == {"late", "past"}
        assert _claimed(connection, due.BASKET) == ["i"]  # what was bought long ago waits for nobody
        # Claimed all the same: nobody is there for whom they would have to wait.
        assert _claimed(connection) == ["nearly late", "late and now", "now", "late", "past"]


def test_an_old_event_takes_nobodys_place_away(database: Engine) -> None:
    with database.begin() as connection:
        intake.write_events(connection, [_event("first", ago=timedelta())], writer="w")
    with database.begin() as connection:
        intake.write_events(connection, [_event("second", ago=timedelta())], writer="w")
        intake.write_events(connection, [_event("first", ago=timedelta(days=1))], writer="w")
        assert _claimed(connection) == ["first", "second"]


def test_who_did_something_long_ago_waits_for_an_hour_at_the_most(database: Engine) -> None:
    with database.begin() as connection:
        intake.write_events(connection, [_event("past", ago=timedelta(days=1))], writer="w")
        connection.execute(text("UPDATE due SET since = since - interval '61 minutes'"))
        intake.write_events(connection, [_event("now", ago=timedelta())], writer="w")
        assert _claimed(connection) == ["past", "now"]


@pytest.fixture
def alone(database_url: str) -> Iterator[Engine]:
    """An engine whose transactions all go through the same connection."""
    connected = engine.connect(database_url, pool_size=1)
    yield connected
    connected.dispose()


def test_a_month_whose_first_batch_failed_is_made_for_the_next(alone: Engine) -> None:
    batch = [_event("ann", ago=timedelta())]
    with alone.connect() as connection:
        intake.write_events(connection, batch, writer="w")
        connection.rollback()
    with alone.begin() as connection:
        assert intake.write_events(connection, batch, writer="w") == intake.Counts(1, 0, 0)


def test_a_month_whose_first_row_is_refused_is_made_for_the_next_row(alone: Engine) -> None:
    bad, good = _event("bob", ago=timedelta()) | {"value": "no number"}, _event("ann", ago=timedelta())
    with alone.begin() as connection:
        counts, refused = intake.write_each(connection, intake.EVENTS_DOOR, [bad, good], writer="w")
    assert (counts, list(refused)) == (intake.Counts(1, 0, 0), [0])


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
