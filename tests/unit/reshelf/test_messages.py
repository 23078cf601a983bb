"""Messages: what is taken, what is answered, and that old ones still parse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reshelf import catalogue, clock, events, parsing
from workers import rows

EVENT: dict[str, Any] = {
    "event_id": "e1",
    "kind": "view",
    "at": "2026-03-01T12:00:00+01:00",
    "user_id": "u1",
    "item_id": "i1",
}
UPSERT: dict[str, Any] = {"kind": "upsert", "change_id": "c1", "item_id": "i1", "at": EVENT["at"], "title": "手机"}


def test_a_message_queued_by_version_1_still_parses() -> None:
    """The bytes of the first release. Add to them for a new version; never change them."""
    queued_event = (
        b'{"event_id":"e1","kind":"purchase","at":"2026-03-01T12:00:00Z","user_id":"u1","session_id":"s1",'
        b'"item_id":"i1","value":19.9,"quantity":2,"surface":"home","request_id":"r1","context":{"country":"FR"},'
        b'"version":1}'
    )
    queued_change = (
        b'{"kind":"upsert","change_id":"c1","item_id":"i1","at":"2026-03-01T12:00:00Z","title":"Phone","price":9.5,'
        b'"currency":"EUR","stock":null,"attributes":{"colour":"red"},"tags":["new"],"image_url":null,"version":1}'
    )
    assert not parsing.parse_events([msgspec.json.decode(queued_event)]).bad
    assert not parsing.parse_changes([msgspec.json.decode(queued_change)]).bad


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"kind": "veiw"}, "kind", "Invalid enum value 'veiw'"),
        ({"item_id": None}, "item_id", "a view needs the `item_id`"),
        ({"user_id": None}, "user_id", "session_id"),
        ({"kind": "search", "item_id": None}, "query", "a search needs its `query`"),
        ({"at": "2026-03-01T12:00:00"}, "at", "timezone"),
        ({"at": "1970-01-01T00:00:00Z"}, "at", "before 2000"),
        ({"at": "2226-03-01T12:00:00Z"}, "at", "in the future"),
        ({"itemid": "i1"}, "itemid", "unknown field"),
        ({"quantity": 0}, "quantity", "> 0"),
        ({"user_id": "x" * 200}, "user_id", "<= 128"),
        ({"user_id": "a\x00b"}, "user_id", "regex"),
        ({"query": "a\x00b"}, "query", "NUL"),
        ({"query": "a\ud800b"}, "query", "surrogate"),
        ({"value": float("nan")}, "value", "Expected `float`"),
        ({"context": {"k": "v" * 300}}, "context[...]", "<= 256"),
        ({"version": 2}, "version", "<= 1"),
    ],
)
def test_a_bad_event_is_answered_with_its_field_and_the_good_one_kept(
    change: dict[str, Any], field: str, says: str
) -> None:
    parsed = parsing.parse_events([EVENT | change, EVENT])
    [bad] = parsed.bad
    assert (bad.index, bad.field) == (0, field)
    assert says in bad.error
    assert [event.event_id for event in parsed.good] == ["e1"]


@pytest.mark.parametrize("row", [None, 5, "x", [], {}, {"event_id": 7}])
def test_what_is_no_row_at_all_is_answered_too(row: Any) -> None:
    assert len(parsing.parse_events([row]).bad) == 1
    assert len(parsing.parse_changes([row]).bad) == 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_parsing_never_raises(row: Any) -> None:
    assert len(parsing.parse_events([row]).bad) == 1
    assert len(parsing.parse_changes([row]).bad) == 1


def test_all_kinds_of_change_become_the_fields_they_set() -> None:
    at = {"at": EVENT["at"], "item_id": "i1"}
    changes = [
        UPSERT | {"stock": None},
        at | {"change_id": "c2", "kind": "price", "price": 5},
        at | {"change_id": "c3", "kind": "stock", "stock": 0},
        at | {"change_id": "c4", "kind": "delete"},
        at | {"change_id": "c5", "kind": "attributes", "attributes": {"a": "b"}},
        at | {"change_id": "c6", "kind": "tags", "tags": ["t"]},
        at | {"change_id": "c7", "kind": "image", "image_url": None},
        at | {"change_id": "c8", "kind": "facts", "cost": 5, "promotion": True},
    ]
    parsed = parsing.parse_changes(changes)
    assert not parsed.bad
    noon = datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert [rows.change_row(change)["fields"] for change in parsed.good] == [
        {"title": "手机", "stock": None, "deleted_at": None},
        {"price": 5.0},
        {"stock": 0},
        {"deleted_at": noon},
        {"attributes": {"a": "b"}},
        {"tags": ("t",)},
        {"image_url": None},
        {"cost": 5.0, "promotion": True},
    ]


def test_a_visitor_is_known_by_the_session() -> None:
    [event] = parsing.parse_events([EVENT | {"user_id": None, "session_id": "s1"}]).good
    assert rows.event_row(event)["shopper"] == "session:s1" == events.shopper_key(None, "s1")


def test_messages_are_frozen_and_survive_json() -> None:
    now = datetime.now(UTC)
    event = events.Event(event_id="e", kind="click", at=now, user_id="u", item_id="i")
    with pytest.raises(AttributeError):
        event.kind = "view"  # type: ignore[misc]
    assert msgspec.json.decode(msgspec.json.encode(event), type=events.Event) == event
    change = catalogue.SetPrice(change_id="c", item_id="i", at=now + timedelta(hours=1), price=1.5)
    assert msgspec.json.decode(msgspec.json.encode(change), type=catalogue.Change) == change


def test_the_range_of_times_includes_its_ends() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    earliest, latest = clock.bounds(now)
    beside = timedelta(seconds=1)
    for at, is_taken in ((earliest, True), (earliest - beside, False), (latest, True), (latest + beside, False)):
        parsed = parsing.parse_events([EVENT | {"at": at.isoformat()}], now=now)
        assert len(parsed.good) == is_taken


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("https://shop.example/a.png", "https://shop.example/a.png"),
        ("HTTP://x/a b", "HTTP://x/a b"),
        ("  ", None),
        ("", None),
    ],
)
def test_an_image_is_an_address_of_the_web_or_none(sent: str, kept: str | None) -> None:
    at = {"item_id": "i", "at": "2026-03-01T00:00:00Z", "image_url": sent}
    rows = [at | {"change_id": "a", "kind": "upsert", "title": "t"}, at | {"change_id": "b", "kind": "image"}]
    parsed = parsing.parse_changes(rows)
    assert [change.image_url for change in parsed.good] == [kept, kept]


@pytest.mark.parametrize(
    "sent",
    ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "//shop.example/a", "/a.png", " https://a"],
)
def test_an_image_that_a_page_could_run_is_answered_and_its_neighbours_are_taken(sent: str) -> None:
    at = {"item_id": "i", "at": "2026-03-01T00:00:00Z"}
    rows = [
        at | {"change_id": "a", "kind": "upsert", "title": "t", "image_url": sent},
        at | {"change_id": "b", "kind": "image", "image_url": sent},
        at | {"change_id": "c", "kind": "upsert", "title": "t"},
    ]
    parsed = parsing.parse_changes(rows)
    assert [(bad.id, bad.field) for bad in parsed.bad] == [("a", "image_url"), ("b", "image_url")]
    assert len(parsed.good) == 1
