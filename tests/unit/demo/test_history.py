"""The seeded past: repeatable, in order, and what the contract takes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from demo import catalogue, customers, history
from reshelf.events import Event

UNTIL = datetime(2024, 5, 1, tzinfo=UTC)


def _make(seed: int = 1) -> list[dict[str, Any]]:
    items, people = catalogue.make(300, seed=seed), customers.make(40, seed=seed)
    return history.make(people, items, until=UNTIL, seed=seed)


def test_the_seed_makes_the_past() -> None:
    assert _make() == _make()
    assert _make() != _make(seed=2)


def test_it_lies_in_the_weeks_before_and_in_order() -> None:
    times = [event["at"] for event in _make()]
    assert times == sorted(times)
    assert UNTIL - timedelta(weeks=history.WEEKS, hours=2) < times[0]
    assert times[-1] < UNTIL


def test_the_contract_takes_every_event_and_no_id_comes_twice() -> None:
    events = [msgspec.convert(event, Event) for event in _make()]
    assert len({event.event_id for event in events}) == len(events)
    assert {event.kind for event in events} == {"click", "add_to_cart", "purchase"}
    assert all((event.value is not None) == (event.kind == "purchase") for event in events)
    assert all(event.context for event in events if event.event_id.endswith("-0"))


def test_customers_browse_by_taste() -> None:
    items, people = catalogue.make(300, seed=1), customers.make(40, seed=1)
    departments = {item.item_id: item.department for item in items}
    before = {person.customer_id: set(person.taste.departments) for person in people}
    hits = Counter(
        departments[event["item_id"]] in before[event["user_id"]]
        for event in history.make(people, items, until=UNTIL, seed=1)
    )
    assert 0.7 < hits[True] / hits.total() < 0.98, "by taste mostly, and not only"


def test_customers_remember_what_they_did() -> None:
    items, people = catalogue.make(300, seed=1), customers.make(40, seed=1)
    events = history.make(people, items, until=UNTIL, seed=1)
    for person in people:
        mine = [event for event in events if event["user_id"] == person.customer_id]
        assert person.clicked == {event["item_id"] for event in mine}
        assert person.bought == {event["item_id"] for event in mine if event["kind"] == "purchase"}
