"""The doors: good rows are kept and committed, each bad one is answered, duplicates change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, text

from reshelf import events as contract_events
from storage import due
from storage.events import intake

AT = "2026-03-01T12:00:00Z"


def event(event_id: str, **fields: Any) -> dict[str, Any]:
    return {"event_id": event_id, "kind": "view", "at": AT, "user_id": "ann", "item_id": "i1"} | fields


def change(change_id: str, **fields: Any) -> dict[str, Any]:
    return {"change_id": change_id, "kind": "upsert", "at": AT, "item_id": change_id, "title": "Thing"} | fields


def scalars(database: Engine, query: str) -> list[Any]:
    with database.connect() as connection:
        return list(connection.execute(text(query)).scalars())


@pytest.mark.parametrize("wrapped", [False, True])
def test_events_are_committed_when_answered(gateway: Any, database: Engine, wrapped: bool) -> None:
    batch = [event("e1"), event("e2", user_id=None, session_id="s1")]
    answer = gateway.post("/v1/events", json={"events": batch} if wrapped else batch)
    assert (answer.status_code, answer.json()) == (202, {"written": 2, "duplicates": 0, "rejected": []})
    assert scalars(database, "SELECT shopper FROM events ORDER BY event_id") == ["ann", "session:s1"]
    assert scalars(database, "SELECT key FROM due WHERE kind = 'shopper' ORDER BY key") == ["ann", "session:s1"]


def test_a_row_sent_again_changes_nothing(gateway: Any, database: Engine) -> None:
    gateway.post("/v1/events", json=[event("e1"), event("e2")])
    answer = gateway.post("/v1/events", json=[event("e2", item_id="other"), event("e3"), event("e3")]).json()
    assert answer == {"written": 1, "duplicates": 2, "rejected": []}
    assert scalars(database, "SELECT item_id FROM events WHERE event_id = 'e2'") == ["i1"]
    again = gateway.post("/v1/events", json=[event("e1")])
    assert (again.status_code, again.json()["duplicates"]) == (202, 1)


def test_good_rows_are_kept_and_each_bad_one_is_answered(gateway: Any, database: Engine) -> None:
    batch = [
        event("good-1"),
        event("no-item", item_id=None),
        event("bad-kind", kind="stare"),
        "text",
        event("naive", at="2026-03-01T12:00:00"),
        event("future", at="2999-01-01T00:00:00Z"),
        event("unknown", colour="red"),
        event("nul", surface="a\0b"),
        event("edge", at="0001-01-01T00:00:00+14:00"),
        event("good-2"),
    ]
    answer = gateway.post("/v1/events", json=batch)
    assert (answer.status_code, answer.json()["written"]) == (202, 2)
    rejected = {one["index"]: (one["id"], one["field"]) for one in answer.json()["rejected"]}
    assert rejected == {
        1: ("no-item", "item_id"),
        2: ("bad-kind", "kind"),
        3: (None, "row"),
        4: ("naive", "at"),
        5: ("future", "at"),
        6: ("unknown", "colour"),
        7: ("nul", "surface"),
        8: ("edge", "at"),
    }
    assert all(one["error"] for one in answer.json()["rejected"])
    assert scalars(database, "SELECT event_id FROM events ORDER BY 1") == ["good-1", "good-2"]
    letters = scalars(database, "SELECT payload FROM dead_letters WHERE source = 'events' ORDER BY id")
    assert len(letters) == 8
    assert json.loads(letters[1])["kind"] == "stare"
    with database.connect() as connection:
        assert intake.counts(connection)["events"] == intake.Counts(2, 0, 8)


@pytest.fixture
def cursed(database: Engine) -> Iterator[str]:
    """An item id that the database refuses."""
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE events ADD CONSTRAINT curse CHECK (item_id <> 'cursed')"))
    yield "cursed"
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE events DROP CONSTRAINT curse"))


def test_a_row_that_the_database_refuses_takes_no_other_with_it(gateway: Any, database: Engine, cursed: str) -> None:
    batch = [event("a"), event("b", item_id=cursed), event("c", kind="stare"), event("d")]
    answer = gateway.post("/v1/events", json=batch)
    assert (answer.status_code, answer.json()["written"]) == (202, 2)
    assert [(one["index"], one["id"]) for one in answer.json()["rejected"]] == [(1, "b"), (2, "c")]
    assert scalars(database, "SELECT event_id FROM events ORDER BY 1") == ["a", "d"]
    assert len(scalars(database, "SELECT id FROM dead_letters")) == 2


@pytest.mark.parametrize("path", ["/v1/events", "/v1/catalogue"])
def test_a_batch_of_which_nothing_can_be_taken_is_a_422_in_the_same_shape(
    gateway: Any, database: Engine, bell: Any, path: str
) -> None:
    answer = gateway.post(path, json=[{"nothing": 1}, 7])
    assert answer.status_code == 422
    assert answer.json()["written"] == 0
    assert [one["index"] for one in answer.json()["rejected"]] == [0, 1]
    assert len(scalars(database, "SELECT id FROM dead_letters")) == 2
    assert bell.rung == []


def test_a_thousand_rows_are_taken_and_one_more_is_not(gateway: Any, database: Engine) -> None:
    batch = [event(f"e{number}", user_id=f"u{number % 50}") for number in range(1001)]
    assert gateway.post("/v1/events", json=batch[:1000]).json()["written"] == 1000
    answer = gateway.post("/v1/events", json=batch)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert scalars(database, "SELECT count(*) FROM events") == [1000]


def test_every_kind_of_event_is_taken(gateway: Any, database: Engine) -> None:
    batch = [event(f"e-{kind}", kind=kind, query="cup", quantity=2, value=4.5) for kind in contract_events.KINDS]
    assert gateway.post("/v1/events", json=batch).json()["written"] == len(contract_events.KINDS) == 9
    assert set(scalars(database, "SELECT kind FROM events")) == set(contract_events.KINDS)


def test_every_kind_of_change_is_taken(gateway: Any, database: Engine) -> None:
    def later(minute: int, kind: str, **fields: Any) -> dict[str, Any]:
        at = f"2026-03-01T12:{minute:02}:00Z"
        return {"change_id": f"c{minute}", "kind": kind, "at": at, "item_id": "cup"} | fields

    batch = [
        change("cup", category="kitchen", price=3, currency="EUR", tags=["a"]),
        later(1, "price", price=4.5),
        later(2, "stock", stock=9),
        later(3, "attributes", attributes={"colour": "red"}),
        later(4, "tags", tags=["b", "c"]),
        later(5, "image", image_url="https://shop.example/cup.png"),
    ]
    answer = gateway.post("/v1/catalogue", json={"changes": batch})
    assert (answer.status_code, answer.json()) == (202, {"written": 6, "duplicates": 0, "rejected": []})
    item = gateway.get("/v1/new").json()["items"][0]
    assert (item["price"], item["currency"], item["image_url"]) == (4.5, "EUR", "https://shop.example/cup.png")
    assert scalars(database, "SELECT tags FROM items") == [["b", "c"]]
    assert gateway.post("/v1/catalogue", json=[later(6, "delete")]).json()["written"] == 1
    assert gateway.get("/v1/new").json()["source"] == "none"
    assert scalars(database, "SELECT key FROM due WHERE kind = 'item'") == ["cup"]


def test_the_bell_is_rung_for_what_is_due(serve: Any, bell: Any) -> None:
    gateway = serve()
    gateway.post("/v1/events", json=[event("e1")])
    gateway.post("/v1/events", json=[event("e2", kind="purchase")])
    gateway.post("/v1/catalogue", json=[change("c1")])
    gateway.__exit__(None, None, None)  # ends what still rings
    rung = {kind for kinds in bell.rung for kind in kinds}
    assert rung == {due.SHOPPER, due.BASKET, due.ITEM, due.CATALOGUE}
    assert bell.rung[0] == (due.SHOPPER,)


def test_a_bell_that_fails_fails_no_request(gateway: Any, bell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_kinds: str) -> bool:
        raise RuntimeError("no broker")

    monkeypatch.setattr(bell, "ring", broken)
    assert [gateway.post("/v1/events", json=[event(f"e{n}")]).status_code for n in range(3)] == [202] * 3


def test_concurrent_batches_that_overlap_lose_and_double_nothing(gateway: Any, database: Engine) -> None:
    def send(seed: int) -> int:
        numbers = [(number * (2 * seed + 1)) % 64 for number in range(64)]
        batch = [event(f"e{number}", user_id=f"u{number % 8}", kind="purchase") for number in numbers]
        answer = gateway.post("/v1/events", json=batch)
        assert answer.status_code == 202, answer.text
        return int(answer.json()["written"])

    with ThreadPoolExecutor(8) as threads:
        written = list(threads.map(send, range(16)))
    assert sum(written) == 64
    assert scalars(database, "SELECT count(*) FROM events") == [64]
    with database.connect() as connection:
        assert intake.counts(connection)["events"] == intake.Counts(64, 15 * 64, 0)
