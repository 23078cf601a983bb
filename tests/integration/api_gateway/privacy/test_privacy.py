"""Erasure and export over HTTP: what still comes of the erased is dropped at every door."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from litestar.testing import TestClient
from sqlalchemy import Engine, text

from storage.privacy import stores
from tests.support import people, waiting
from workers.privacy import erasing, parts, scanning
from workers.settings import Settings

ANN, BOB = "ann-4711", "bob-0815"


@pytest.fixture
def erase(gateway: TestClient[Any], database: Engine, tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """Return a function that erases a person, as the worker does, and returns the receipt once it is done."""

    def done(user: str) -> dict[str, Any]:
        asked = gateway.delete(f"/v1/users/{user}")
        assert (asked.status_code, asked.json()["state"]) == (202, "running")
        settings = Settings(home=tmp_path)
        waiting.wait_until(lambda: erasing.work(database, settings), what="the erasure")
        receipt: dict[str, Any] = gateway.get(f"/v1/erasures/{asked.json()['receipt']}").json()
        return receipt

    return done


def test_a_receipt_says_what_was_deleted_and_names_nobody(
    gateway: TestClient[Any], database: Engine, bell: Any, erase: Callable[[str], dict[str, Any]]
) -> None:
    people.live_in(database, ANN)
    receipt = erase(ANN)
    assert (receipt["state"], receipt["deleted"]["events"]) == ("done", 14)
    assert ANN not in str(receipt)
    assert scanning.scan(ANN, engine=database) == {}
    assert gateway.get("/v1/erasures/none").status_code == 404
    document = gateway.get("/schema/openapi.json").json()
    said = document["paths"]["/v1/erasures/{receipt_id}"]["get"]["responses"]["200"]["content"]["application/json"]
    jsonschema.Draft202012Validator(said["schema"] | {"components": document["components"]}).validate(receipt)
    actions = [line["action"] for line in gateway.get("/v1/audit").json()["lines"]]
    assert actions == ["erasure asked"]
    gateway.__exit__(None, None, None)  # the bell is rung beside the requests
    assert bell.rung == [("erasure",)]


def test_what_still_comes_of_the_erased_is_dropped_and_others_are_taken(
    gateway: TestClient[Any], database: Engine, erase: Callable[[str], dict[str, Any]]
) -> None:
    people.live_in(database, ANN)
    erase(ANN)
    batch = [people.event(ANN, 1), people.event(BOB, 1), people.event(None, 2, session_id=f"of-{ANN}")]
    taken = gateway.post(
        "/v1/events", json=[*batch, people.event(ANN, 2, kind="stare"), people.event(BOB, 3, kind="x")]
    )
    assert (taken.status_code, taken.json()["written"], taken.json()["duplicates"]) == (202, 1, 0)
    assert [one["index"] for one in taken.json()["rejected"]] == [3, 4]
    assert gateway.post("/v1/events", json=batch[:1]).json() == {"written": 0, "duplicates": 0, "rejected": []}
    labels = [{"label_id": f"l-{n}", "order_id": f"order-{one}-1", "kind": "cleared", "at": people.NOW.isoformat()}
              for n, one in enumerate((ANN, BOB))]  # fmt: skip
    assert gateway.post("/v1/orders/labels", json=labels).json()["written"] == 1
    screened = gateway.post("/v1/orders/screen", json=people.order(ANN, 9)).json()
    assert (screened["decided_at"], screened["decision"]) == (None, "approve")
    assert "erased" in screened["why"]
    assert gateway.get(f"/v1/search?q=lamp&user_id={ANN}").status_code == 200
    assert gateway.get(f"/v1/users/{ANN}/recommendations").status_code == 200
    assert scanning.scan(ANN, engine=database) == {}
    with database.connect() as connection:
        assert connection.execute(text("SELECT shopper FROM events")).scalars().all() == [BOB]
        assert connection.execute(text("SELECT payload FROM dead_letters")).scalar_one().count(BOB) == 2


def test_everything_kept_of_a_person_is_exported_and_nothing_of_others(
    gateway: TestClient[Any], database: Engine
) -> None:
    people.live_in(database, ANN)
    people.live_in(database, BOB)
    answer = gateway.get(f"/v1/users/{ANN}/export")
    assert answer.headers["content-type"].startswith("application/json")
    found = answer.json()
    assert (found["user_id"], found["sessions"]) == (ANN, [f"of-{ANN}"])
    assert set(found["tables"]) == {store.table for store in stores.ALL} | {stores.LETTERS}
    assert len(found["tables"]["events"]) == 14
    assert {row["name"]: row["value"] for row in found["tables"]["shopper_traits"]} == {"country": "FR"}
    assert BOB not in answer.text
    assert gateway.get("/v1/users/nobody/export").json() == {"user_id": "nobody", "sessions": [], "tables": {}}
    [line, _] = gateway.get("/v1/audit").json()["lines"]
    assert line["action"] == "person exported"
    assert "nobody" not in str(line)


def test_a_visitor_is_erased_by_the_session_and_no_user_is_called_like_one(
    gateway: TestClient[Any], database: Engine, erase: Callable[[str], dict[str, Any]]
) -> None:
    sent = gateway.post("/v1/events", json=[people.event(None, 1, session_id="x"), people.event("session:x", 2)]).json()
    assert (sent["written"], [one["field"] for one in sent["rejected"]]) == (1, ["user_id"])
    assert erase("session:x")["deleted"]["events"] == 1
    known = parts.erased(database, Settings())
    assert known.is_empty
