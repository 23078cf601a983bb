"""Bodies as dirty as they come: whatever one row holds, the rows beside it are committed, and it is answered."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

DEEP = "[" * 10_000 + "]" * 10_000
VALUES = ['"\\ud83d"', "NaN", "1e999", "9" * 5000, DEEP, "oops", '"a\\u0000b"', "{}", "[null]"]


def event(name: str, **fields: Any) -> dict[str, Any]:
    return {"event_id": name, "kind": "search", "at": "2026-03-01T12:00:00Z", "user_id": "u", "query": "q"} | fields


def with_value(name: str, value: str) -> str:
    """Return an event whose `query` is written as `value`."""
    return json.dumps(event(name)).replace('"q"', value)


def scalars(database: Engine, query: str) -> list[Any]:
    with database.connect() as connection:
        return list(connection.execute(text(query)).scalars())


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("wrapped", [False, True])
def test_the_rows_beside_one_that_is_none_are_committed(
    gateway: Any, database: Engine, value: str, wrapped: bool
) -> None:
    batch = f"[{json.dumps(event('a'))}, {with_value('b', value)}, {json.dumps(event('c'))}]"
    answer = gateway.post("/v1/events", content=f'{{"events": {batch}}}' if wrapped else batch)
    assert (answer.status_code, answer.json()["written"]) == (202, 2)
    [bad] = answer.json()["rejected"]
    assert (bad["index"], bad["id"], bad["field"]) == (1, "b", "query")
    assert bad["error"]
    assert scalars(database, "SELECT event_id FROM events ORDER BY 1") == ["a", "c"]
    [letter] = scalars(database, "SELECT payload FROM dead_letters")
    assert json.loads(letter)["event_id"] == "b"


@pytest.mark.parametrize("value", ['"\\ud83d"', "NaN", "1e999", DEEP])
def test_a_row_that_is_alone_is_answered_too(gateway: Any, value: str) -> None:
    answer = gateway.post("/v1/events", content=f"[{with_value('b', value)}]")
    assert answer.status_code == 422
    assert [(bad["index"], bad["field"]) for bad in answer.json()["rejected"]] == [(0, "query")]


@pytest.mark.parametrize("row", [DEEP, '{"a":' * 10_000 + "1" + "}" * 10_000, '"\\ud83d"', "oops", '{"x\\ud83d": 1}'])
@pytest.mark.parametrize(("path", "names"), [("/v1/catalogue", "changes"), ("/v1/orders/labels", "labels")])
def test_every_door_keeps_the_rows_beside_it(gateway: Any, database: Engine, path: str, names: str, row: str) -> None:
    good = {"at": "2026-03-01T12:00:00Z"} | (
        {"kind": "delete", "change_id": "c", "item_id": "i"}
        if names == "changes"
        else {"kind": "cleared", "label_id": "c", "order_id": "o"}
    )
    answer = gateway.post(path, content=f'{{"{names}": [{row}, {json.dumps(good)}]}}')
    assert (answer.status_code, answer.json()["written"]) == (202, 1)
    assert [bad["index"] for bad in answer.json()["rejected"]] == [0]
    assert len(scalars(database, "SELECT id FROM dead_letters")) == 1


def test_a_row_nested_as_deep_as_the_parser_goes_is_kept_as_a_dead_letter(gateway: Any, database: Engine) -> None:
    for depth in (100, 500, 900, 990):
        answer = gateway.post("/v1/events", content=f"[{with_value('b', '[' * depth + ']' * depth)}]")
        assert answer.status_code == 422
    assert len(scalars(database, "SELECT id FROM dead_letters")) == 4


rows = st.lists(st.sampled_from(["good", *VALUES]), min_size=1, max_size=12)


@given(rows)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_batch_keeps_its_good_rows(gateway: Any, database: Engine, batch: list[str]) -> None:
    with database.begin() as connection:
        connection.execute(text("TRUNCATE events, event_ids, dead_letters"))
    written = [
        json.dumps(event(f"e{place}")) if value == "good" else with_value(f"e{place}", value)
        for place, value in enumerate(batch)
    ]
    good = [f"e{place}" for place, value in enumerate(batch) if value == "good"]
    answer = gateway.post("/v1/events", content=f"[{', '.join(written)}]")
    assert sorted(scalars(database, "SELECT event_id FROM events")) == sorted(good)
    if set(batch) == {"oops"}:  # nothing of it is JSON
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, "body")
        return
    assert answer.status_code == (202 if good else 422)
    assert [bad["id"] for bad in answer.json()["rejected"]] == [
        f"e{place}" for place, value in enumerate(batch) if value != "good"
    ]


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
def test_what_came_packed_is_committed(gateway: Any, database: Engine, encoding: str, pack: Any) -> None:
    batch = pack(json.dumps([event("a"), event("b")]).encode())
    answer = gateway.post("/v1/events", content=batch, headers={"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["written"]) == (202, 2)
    assert scalars(database, "SELECT event_id FROM events ORDER BY 1") == ["a", "b"]


def test_a_shopper_is_found_by_any_spelling_of_the_id(gateway: Any, database: Engine, bell: Any) -> None:
    gateway.post("/v1/events", json=[event("a", user_id="Ka\u0308te"), event("b", user_id=" Käte\u200b")])
    assert scalars(database, "SELECT DISTINCT shopper FROM events") == ["Käte"]
    flagged = gateway.post("/v1/actors/Ka%CC%88te%20/flag").json()
    assert (flagged["shopper"], flagged["events"]) == ("Käte", 2)
