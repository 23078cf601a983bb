"""What prices depend on comes with catalogue changes: the newest wins, and changes without it pay nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from storage.events import intake
from storage.pricing import facts
from workers.intake import service
from workers.load import service as loading

AT = "2026-03-01T{:02d}:00:00Z"
UPSERT = {"kind": "upsert", "change_id": "u", "item_id": "i1", "at": AT.format(9), "title": "Lamp", "price": 10.0}


def _take(database: Engine, *changes: dict[str, Any]) -> list[str]:
    """Write changes as the Celery door does; return the fields that are refused."""
    offer = service.changes(list(changes), search=False)
    with database.begin() as connection:
        intake.write_changes(connection, offer.rows, writer="test")
    return [str(letter.field) for letter in offer.letters]


def _known(database: Engine, item: str = "i1") -> tuple[float | None, float | None, bool | None]:
    with database.connect() as connection:
        row = facts.item(connection, item)
    assert row is not None
    return row.cost, row.competitor_price, row.promotion


def test_costs_come_with_the_item_and_by_themselves(database: Engine) -> None:
    _take(database, UPSERT | {"cost": 5.0, "competitor_price": 9.5})
    assert _known(database) == (5.0, 9.5, None)
    change = {"kind": "facts", "change_id": "f", "item_id": "i1", "at": AT.format(10), "cost": None, "promotion": True}
    _take(database, change)
    assert _known(database) == (None, 9.5, True)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_cost_wins_in_every_order(database: Engine, order: tuple[int, ...]) -> None:
    _take(database, UPSERT)
    changes = [
        {"kind": "facts", "change_id": f"f{n}", "item_id": "i1", "at": AT.format(10 + n), "cost": float(n)}
        for n in range(3)
    ]
    changes[0]["competitor_price"] = 7.0
    for n in order:
        _take(database, changes[n])
    assert _known(database) == (2.0, 7.0, None)


def test_a_cost_that_was_posted_is_not_undone_by_an_older_change(database: Engine) -> None:
    _take(database, UPSERT)
    with database.begin() as connection:
        facts.learn(connection, [{"item_id": "i1", "cost": 6.0}])
    _take(database, UPSERT | {"change_id": "old", "at": AT.format(11), "cost": 1.0, "competitor_price": 8.0})
    assert _known(database) == (6.0, 8.0, None)


def test_a_cost_alone_makes_nothing_due_and_a_change_without_one_asks_for_nothing(database: Engine) -> None:
    _take(database, UPSERT)
    with database.begin() as connection:
        connection.execute(text("TRUNCATE due"))
    said: list[str] = []
    event.listen(database, "before_cursor_execute", lambda _c, _cursor, statement, *_: said.append(statement))
    _take(database, {"kind": "price", "change_id": "p", "item_id": "i1", "at": AT.format(10), "price": 11.0})
    assert not [statement for statement in said if "price_facts" in statement]
    assert len([statement for statement in said if "INSERT" in statement]) == 2
    with database.begin() as connection:
        connection.execute(text("TRUNCATE due"))
    for item in ("i1", "unknown"):
        _take(database, {"kind": "facts", "change_id": item, "item_id": item, "at": AT.format(11), "cost": 4.0})
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM due")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM items")).scalar_one() == 1
    assert _known(database)[0] == 4.0


@pytest.mark.parametrize(
    ("given", "field"),
    [({"cost": -1}, "cost"), ({"competitor_price": "a"}, "competitor_price"), ({"promotion": "maybe"}, "promotion")],
)
def test_what_is_no_cost_is_answered_and_its_neighbours_are_taken(
    database: Engine, given: dict[str, Any], field: str
) -> None:
    good = UPSERT | {"change_id": "good", "item_id": "i2", "cost": 3.0}
    assert _take(database, UPSERT | given, good) == [field]
    assert _known(database, "i2") == (3.0, None, None)


def test_files_have_columns_for_them(database: Engine, tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text(
        "item_id,title,price,cost,competitor_price,promotion\n1,Lamp,9.99 EUR,4.50,12 EUR,yes\n2,Lamp,9.99,cheap,,\n"
        "3,Lamp,9.99 EUR,4 USD,,\n4,Lamp,1,,,no\n5,Lamp,1,,,perhaps\n",
        "utf-8",
    )
    reading = loading.read(path)
    assert {reason.reason: reason.lines for reason in reading.rejected} == {
        "bad cost": 1, "price and currency name two currencies": 1, "bad promotion": 1,
    }  # fmt: skip
    with database.begin() as connection:
        intake.write_changes(connection, list(reading.changes), writer="test")
    assert (_known(database, "1"), _known(database, "4")) == ((4.5, 12.0, True), (None, None, False))


def test_times_of_changes_are_compared_as_they_are(database: Engine) -> None:
    row = {"item_id": "i1", "fields": {"cost": 1.0}, "stamps": {"cost": "2026-01-01T00:00:00.000000|b"}}
    older = {"item_id": "i1", "fields": {"cost": 2.0}, "stamps": {"cost": "2026-01-01T00:00:00.000000|a"}}
    _take(database, UPSERT | {"at": datetime(2026, 1, 1, tzinfo=UTC).isoformat()})
    with database.begin() as connection:
        facts.write(connection, [row])
        facts.write(connection, [older])
    assert _known(database)[0] == 1.0
