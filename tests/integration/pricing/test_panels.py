"""What was observed by item and week: weeks in which an item could not be had say nothing of its demand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Engine, text

from storage.events import intake
from storage.market import demand
from storage.pricing import availability
from workers.pricing import panels

WEEKS = 12
START = datetime(2026, 1, 5, tzinfo=UTC)


def _change(item: str, at: datetime, change: str = "", **fields: object) -> dict[str, object]:
    return {"change_id": f"{item}{change}", "item_id": item, "at": at, "announces": not change, "fields": fields}


def _announce(database: Engine, item: str, at: datetime) -> None:
    with database.begin() as connection:
        change = _change(item, at, title=item, price=10.0, currency="EUR")
        intake.write_changes(connection, [change], writer="test")


def _sell(database: Engine, item: str, weeks: list[int]) -> None:
    events = [
        {
            "event_id": f"{item}:{week}", "shopper": "u1", "kind": "purchase", "item_id": item,
            "at": START + timedelta(weeks=week, days=2), "value": 10.0, "quantity": 1.0, "session_id": None,
            "surface": None, "request_id": None, "query": None, "context": {},
        }
        for week in weeks
    ]  # fmt: skip
    with database.begin() as connection:
        intake.write_events(connection, events, writer="test")


def _units(database: Engine) -> dict[str, np.ndarray]:
    with database.connect() as connection:
        span = demand.span(connection)
        assert span is not None
        items, history = panels.read(connection, span)
    return {row.item_id: row_T for row, row_T in zip(items, history.units_NxT, strict=True)}


def test_weeks_before_the_launch_of_an_item_are_no_observations(database: Engine) -> None:
    _announce(database, "old", START)
    _announce(database, "new", START + timedelta(weeks=5, days=3))
    _sell(database, "old", [0, 2, WEEKS])
    _sell(database, "new", [8])
    found = _units(database)
    assert np.nan_to_num(found["old"], nan=-1.0).tolist() == [1, 0, 1] + [0] * 9
    assert np.nan_to_num(found["new"], nan=-1.0).tolist() == [-1] * 6 + [0, 0, 1, 0, 0, 0]


def test_an_item_whose_announcement_is_of_a_later_time_counts_from_its_first_sale(database: Engine) -> None:
    _announce(database, "early", datetime(2026, 6, 1, tzinfo=UTC))
    _announce(database, "late", datetime(2026, 6, 1, tzinfo=UTC))
    _sell(database, "early", [0, WEEKS])
    _sell(database, "late", [4, 6])
    found = _units(database)
    assert not np.isnan(found["early"]).any()
    assert np.isnan(found["late"]).tolist() == [True] * 5 + [False] * 7


def test_weeks_out_of_stock_are_no_observations(database: Engine) -> None:
    _announce(database, "i1", START)
    _sell(database, "i1", [0, WEEKS])
    for number, stock in enumerate((5, 0, 0, 7, 3)):
        with database.begin() as connection:
            change = _change("i1", START + timedelta(hours=1 + number), f":{number}", stock=stock)
            intake.write_changes(connection, [change], writer="test")
    with database.begin() as connection:
        noted = list(connection.execute(text("SELECT available FROM item_availability ORDER BY at")).scalars())
        assert noted == [False, True], "only what changes is noted"
        for available, days in ((False, 16.5), (True, 30.0)):  # from the middle of a week to the middle of another
            connection.execute(
                text("UPDATE item_availability SET at = :at WHERE available = :available"),
                {"at": START + timedelta(days=days), "available": available},
            )
    assert np.isnan(_units(database)["i1"]).nonzero()[0].tolist() == [2, 3, 4]
    with database.begin() as connection:
        availability.forget(connection, (START + timedelta(weeks=6)).date())
        assert list(connection.execute(text("SELECT available FROM item_availability")).scalars()) == [True]


def test_an_hour_out_of_stock_leaves_the_week_as_it_was(database: Engine) -> None:
    _announce(database, "i1", START)
    _sell(database, "i1", [0, WEEKS])
    with database.begin() as connection:
        for hours, available in ((100, False), (101, True)):
            connection.execute(
                text("INSERT INTO item_availability VALUES ('i1', :at, :available)"),
                {"at": START + timedelta(hours=hours), "available": available},
            )
    assert not np.isnan(_units(database)["i1"]).any()
