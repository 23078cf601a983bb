"""Between looks: what moves a price brings the next look forward, and what is merely sent again does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from storage.events import intake
from storage.pricing import decisions, facts
from workers.pricing import watching

ITEMS = 3


@pytest.fixture(name="looked", autouse=True)
def _looked(database: Engine) -> None:
    """Three items with a cost, which were looked at two days ago and are expected to sell 70 a week."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with database.begin() as connection:
        for n in range(ITEMS):
            fields = {"title": f"i{n}", "price": 10.0, "stock": 5}
            change = {"change_id": f"c{n}", "item_id": f"i{n}", "at": at, "announces": True, "fields": fields}
            intake.write_changes(connection, [change], writer="test")
            facts.learn(connection, [{"item_id": f"i{n}", "cost": 5.0}])
            row = {
                "item_id": f"i{n}", "price": 10.0, "chosen": 10.0, "currency": None, "cost": 5.0, "propensity": 1.0,
                "prices": [10.0], "shares": [1.0], "units": [70.0], "policy": "test", "blocked": [], "automatic": True,
            }  # fmt: skip
            decisions.write(connection, [row])
    _age(database, 48)
    for n in range(ITEMS):
        _sell(database, n, 20)


def _age(database: Engine, hours: float) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE price_decisions SET at = now() - :age"), {"age": timedelta(hours=hours)})
        connection.execute(text("UPDATE price_facts SET moved_at = now() - interval '9 days'"))


def _sell(database: Engine, n: int, units: float) -> None:
    row = {
        "event_id": f"{n}:{units}", "shopper": "u1", "kind": "purchase", "item_id": f"i{n}",
        "at": datetime.now(UTC) - timedelta(minutes=10), "value": None, "quantity": units, "session_id": None,
        "surface": None, "request_id": None, "query": None, "context": {},
    }  # fmt: skip
    with database.begin() as connection:
        intake.write_events(connection, [row], writer="test")


def test_what_goes_as_expected_waits_for_the_next_look(database: Engine) -> None:
    with database.begin() as connection:
        facts.learn(connection, [{"item_id": "i0", "cost": 5.0}])
        change = {
            "change_id": "s",
            "item_id": "i0",
            "at": datetime.now(UTC),
            "announces": False,
            "fields": {"stock": 4},
        }
        intake.write_changes(connection, [change], writer="test")
    assert watching.moved(database) == {}


def test_a_cost_that_became_another_brings_the_look_forward(database: Engine) -> None:
    with database.begin() as connection:
        facts.learn(connection, [{"item_id": "i0", "cost": 6.0}, {"item_id": "i1", "competitor_price": 9.0}])
        facts.learn(connection, [{"item_id": "unknown", "cost": 1.0}])
    assert watching.moved(database) == {"facts": 2}


def test_an_item_that_sells_out_brings_the_look_forward(database: Engine) -> None:
    change = {"change_id": "s", "item_id": "i0", "at": datetime.now(UTC), "announces": False, "fields": {"stock": 0}}
    with database.begin() as connection:
        intake.write_changes(connection, [change], writer="test")
    assert watching.moved(database) == {"stock": 1}


def test_a_demand_that_surprises_brings_the_look_forward(database: Engine) -> None:
    _sell(database, 0, 40)
    assert watching.moved(database) == {"demand": 1}


def test_an_item_that_nobody_buys_any_more_surprises_after_a_while(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("DELETE FROM events WHERE item_id = 'i0'"))
    assert watching.moved(database) == {}
    _age(database, 24 * 7)
    for n in (1, 2):
        _sell(database, n, 50)
    assert watching.moved(database) == {"demand": 1}


def test_looks_are_an_hour_apart_at_least_and_there_is_one_to_begin_with(database: Engine) -> None:
    with database.begin() as connection:
        facts.learn(connection, [{"item_id": "i0", "cost": 6.0}])
        connection.execute(text("UPDATE price_decisions SET at = now() - interval '59 minutes'"))
    assert watching.moved(database) == {}
    with database.begin() as connection:
        connection.execute(text("TRUNCATE price_decisions"))
    assert watching.moved(database) == {}
