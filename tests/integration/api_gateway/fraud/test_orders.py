"""Orders over HTTP: one decision in time, whatever fails, and who decides about what is left to people."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from sqlalchemy import Engine

from storage import due
from storage.fraud import rule_sets
from tests.support import gateways, waiting
from tests.support import screening as tests
from workers.fraud import door, screening
from workers.fraud.rules import rules
from workers.fraud.serving import Serving
from workers.settings import Settings

RULES = {
    "lists": {"blocked": ["d-0"]},
    "rules": [
        {"name": "blocked", "decision": "decline", "reason": "blocked", "when": {"device": {"in": "@blocked"}}},
        {"name": "busy", "decision": "review", "reason": "busy", "when": {"customer_orders_1h": {"at_least": 2}}},
    ],
}


@pytest.fixture
def active(database: Engine) -> str:
    rule_set = rules.from_json(RULES)
    with database.begin() as connection:
        rule_sets.keep(connection, rule_set.version, rules.to_json(rule_set))
        rule_sets.activate(connection, rule_set.version)
    return rule_set.version


@contextmanager
def working(database: Engine, settings: Settings) -> Iterator[None]:
    """Screen what comes, as the worker's process does."""
    ended = threading.Event()
    serving = Serving(database, settings)

    def run() -> None:
        while not ended.wait(0.005):
            tests.work(database, serving, settings)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def post(gateway: TestClient[Any], made: dict[str, Any]) -> Any:
    return gateway.post("/v1/orders/screen", json=made)


def made(number: int, customer: int = 1, **given: Any) -> dict[str, Any]:
    own = {"customer_id": f"c-{customer}", "device_id": "d-1"}
    return tests.order(number, datetime.now(UTC), **own | given)


def test_a_worker_decides_and_everyone_who_asks_hears_the_same(
    serve: Callable[..., TestClient[Any]], database: Engine, active: str, tmp_path: Path
) -> None:
    gateway = serve(screen_deadline_ms=20_000)
    order = made(1)
    with working(database, Settings(home=tmp_path)), ThreadPoolExecutor(8) as pool:
        found = [answer.json() for answer in pool.map(lambda _: post(gateway, order), range(8))]
    assert all(answer == found[0] for answer in found)
    assert (found[0]["decision"], found[0]["by"], found[0]["why"]) == ("approve", "rules", screening.NO_MODEL)
    assert found[0]["rules_version"] == active
    assert len(tests.rows_of(database, "SELECT FROM screenings")) == 1
    assert post(gateway, order).json() == found[0]


def test_an_order_with_lines_is_the_same_order_when_it_comes_again(
    active: str, gateway: TestClient[Any], database: Engine, tmp_path: Path
) -> None:
    lines = [{"item_id": "i-1", "quantity": 2, "price": 12.5}, {"item_id": "i-2"}]
    order = made(1, items=lines)
    first = post(gateway, order)
    assert (first.status_code, post(gateway, order).json()) == (200, first.json())
    assert post(gateway, order | {"items": lines[:1]}).status_code == 409
    sent = door.screen(database, Settings(home=tmp_path), [made(2, items=lines), order], lambda: 0)
    assert ([one.order_id for one in sent.screenings], sent.rejected) == (["o-1", "o-2"], [])


def test_without_a_worker_rules_decide_in_time_with_velocities(
    active: str, gateway: TestClient[Any], database: Engine, bell: Any
) -> None:
    answers = [post(gateway, made(n)).json() for n in range(3)]
    assert [answer["decision"] for answer in answers] == ["approve", "approve", "review"]
    assert answers[2]["reasons"] == [{"source": "rule", "name": "busy", "text": "busy"}]
    assert all(answer["by"] == "rules" for answer in answers)
    assert "did not answer within 35 ms" in answers[0]["why"]
    declined = post(gateway, made(3, customer=2, device_id="d-0")).json()
    assert (declined["decision"], declined["reasons"][0]["name"]) == ("decline", "blocked")
    assert tests.rows_of(database, "SELECT count(*) AS n FROM due WHERE kind = 'order'")[0].n == 4
    assert (due.ORDER,) in bell.rung


@pytest.mark.parametrize(
    ("fallback", "decision"), [("approve", "approve"), ("review", "review"), ("decline", "decline")]
)
def test_an_outage_fails_open_or_closed_as_it_is_set(
    serve: Callable[..., TestClient[Any]], fallback: str, decision: str
) -> None:
    gateway = serve(screen_fallback=fallback, screen_deadline_ms=5)
    assert post(gateway, made(1)).json()["decision"] == decision


def test_without_a_database_the_answer_is_by_rules_and_says_that_it_is_not_recorded(
    serve: Callable[..., TestClient[Any]],
) -> None:
    gateway = serve(database_url="postgresql://nobody@127.0.0.1:1/none", screen_fallback="review")
    answer = post(gateway, made(1))
    assert answer.status_code == 200
    assert (answer.json()["decision"], answer.json()["by"], answer.json()["decided_at"]) == ("review", "rules", None)
    assert "the database did not answer" in answer.json()["why"]


def test_an_order_that_comes_again_with_other_content_is_a_conflict(gateway: TestClient[Any]) -> None:
    order = made(1)
    first = post(gateway, order).json()
    other = post(gateway, order | {"amount": order["amount"] + 1})
    assert other.status_code == 409
    assert other.json()["error"]["field"] == "amount"
    assert "new `order_id`" in other.json()["error"]["fix"]
    assert post(gateway, order).json() == first


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": -1}, "amount"),
        ({"payment_id": "4111 1111 1111 1111"}, "payment_id"),
        ({"at": "2099-01-01T00:00:00Z"}, "at"),
        ({"colour": "red"}, "colour"),
        ({"customer_id": ""}, "customer_id"),
    ],
)
def test_what_is_no_order_is_refused_with_the_field(
    gateway: TestClient[Any], database: Engine, change: dict[str, Any], field: str
) -> None:
    answer = post(gateway, made(1) | change)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field
    assert tests.rows_of(database, "SELECT FROM orders") == []


def test_reviews_are_taken_by_one_key_decided_once_and_kept_with_the_order(
    serve: Callable[..., TestClient[Any]], database: Engine
) -> None:
    gateway = serve(screen_fallback="review", screen_deadline_ms=5)
    eva = gateways.bearer(gateways.make_key(database, "eva", "review"))
    tom = gateways.bearer(gateways.make_key(database, "tom", "review"))
    waiting.wait_until(lambda: gateway.get("/v1/reviews", headers=tom).status_code == 200, what="the keys are taken")
    order = made(1, order_id="o/1")
    post(gateway, order)
    [open_one] = gateway.get("/v1/reviews").json()["reviews"]
    assert (open_one["order_id"], open_one["screened"], open_one["order"]["amount"]) == (
        "o/1", "review", order["amount"],
    )  # fmt: skip
    path = "/v1/reviews/o%2F1"
    assert gateway.post(f"{path}/take", json={"reviewer": "the boss"}, headers=eva).json()["taken_by"] == "eva"
    refused = gateway.post(f"{path}/take", json={"reviewer": "eva"}, headers=tom)
    assert (refused.status_code, refused.json()["error"]["field"]) == (409, "order_id")
    claimed = gateway.post(f"{path}/decide", json={"reviewer": "eva", "decision": "approve"}, headers=tom)
    assert claimed.status_code == 409
    bad = gateway.post(f"{path}/decide", json={"decision": "maybe"}, headers=eva)
    assert (bad.status_code, bad.json()["error"]["field"]) == (400, "decision")
    decision = {"reviewer": "the boss", "decision": "decline", "fraud": True, "note": "n"}
    done = gateway.post(f"{path}/decide", json=decision, headers=eva)
    assert (done.json()["decision"], done.json()["decided_by"]) == ("decline", "eva")
    assert gateway.post(f"{path}/decide", json={"decision": "approve"}, headers=eva).status_code == 409
    assert gateway.get("/v1/reviews").json()["reviews"] == []
    audit = gateway.get("/v1/orders/o%2F1/screening").json()
    assert (audit["answer"]["decision"], audit["review"]) == ("review", "decline")
    assert [line["what"] for line in audit["history"]] == ["review taken", "review decided", "label"]
    assert audit["facts"]["amount"] == order["amount"]
    assert tests.rows_of(database, "SELECT label FROM orders")[0].label == "confirmed_fraud"
    lines = gateway.get("/v1/audit?limit=2").json()["lines"]
    assert [(line["action"], line["actor"], line["subject"]) for line in lines] == [
        ("review decided", "eva", "o/1"),
        ("review taken", "eva", "o/1"),
    ]
    assert lines[0]["detail"] == {"reviewer": "the boss", "decision": "decline", "fraud": True}


@pytest.mark.parametrize(
    ("step", "body", "field"),
    [
        ("take", {"reviewer": "a\0b"}, "reviewer"),
        ("decide", {"reviewer": "a\0b", "decision": "approve"}, "reviewer"),
        ("decide", {"decision": "approve", "note": "a\0b"}, "note"),
    ],
)
def test_what_no_text_can_hold_is_refused_with_its_field(
    gateway: TestClient[Any], step: str, body: dict[str, Any], field: str
) -> None:
    answer = gateway.post(f"/v1/reviews/o-1/{step}", json=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def test_what_is_not_there_is_not_found(gateway: TestClient[Any]) -> None:
    assert gateway.get("/v1/orders/none/screening").status_code == 404
    assert gateway.post("/v1/reviews/none/take", json={"reviewer": "eva"}).status_code == 404


def test_labels_come_in_batches_of_which_the_good_ones_are_taken(gateway: TestClient[Any]) -> None:
    good = {"label_id": "l-1", "order_id": "o-1", "kind": "chargeback", "at": "2026-03-01T12:00:00Z"}
    answer = gateway.post("/v1/orders/labels", json=[good, good | {"label_id": "l-2", "kind": "stolen"}])
    assert answer.status_code == 202
    assert answer.json()["written"] == 1
    assert answer.json()["rejected"][0] | {"error": ""} == {"index": 1, "id": "l-2", "field": "kind", "error": ""}


def test_a_shop_without_screening_says_so(serve: Callable[..., TestClient[Any]]) -> None:
    answer = post(serve(fraud=False), made(1))
    assert answer.status_code == 503
    assert "RESHELF_FRAUD" in answer.json()["error"]["fix"]
