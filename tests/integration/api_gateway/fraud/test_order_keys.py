"""Orders whose keys are spelled otherwise: counted as one, blocked as typed, and always decided."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from storage.fraud import rule_sets
from tests.support import screening as tests
from workers.fraud.rules import rules

ADDRESSES = [
    "203.0.113.51:5000", "203.0.113.51:5001", "::ffff:203.0.113.51", "[::FFFF:cb00:7133]:443", "203.0.113.51, 10.0.0.1",
    'for="203.0.113.51:80";proto=https',
]  # fmt: skip


@pytest.fixture
def ask(serve: Any, database: Engine) -> Any:
    """Return what activates rules and asks about orders."""
    gateway = serve(screen_deadline_ms=5)

    def ask(rule: dict[str, Any], orders: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        made = {"name": "r", "decision": "decline", "reason": "r"} | rule
        rule_set = rules.from_json({"rules": [made]})
        with database.begin() as connection:
            rule_sets.keep(connection, rule_set.version, rules.to_json(rule_set))
            rule_sets.activate(connection, rule_set.version)
        gateway.app.state.services.rules.rules = rule_set
        answers = [gateway.post("/v1/orders/screen", json=order) for order in orders]
        assert [answer.status_code for answer in answers] == [200] * len(orders)
        return [answer.json() for answer in answers]

    return ask


def order(number: int, **given: Any) -> dict[str, Any]:
    return tests.order(number, datetime.now(UTC), **{"customer_id": f"c-{number}", "device_id": f"d-{number}"} | given)


@pytest.mark.parametrize(
    ("fact", "field", "spellings"),
    [
        ("ip_orders_1h", "ip", ADDRESSES),
        ("ip_orders_1h", "ip", ["2001:db8::7", "2001:0DB8:0:0:0:0:0:7", "[2001:db8::7]:81", "2001:db8::7%eth0"]),
        ("email_orders_1h", "email", ["Eva@Shop.example", "eva@shop.EXAMPLE", "mailto:eva@shop.example"]),
        ("phone_orders_1h", "phone", ["+49 30 901820", "0049 30/901820", "+4930901820"]),
        ("customer_orders_1h", "customer_id", ["Käte", "Ka\u0308te", "\u200bKäte ", "Käte"]),
        ("device_orders_1h", "device_id", ["AB12", "ＡＢ１２", " AB12"]),
    ],
)
def test_orders_of_one_key_are_counted_together(ask: Any, fact: str, field: str, spellings: list[str]) -> None:
    rule = {"when": {fact: {"at_least": len(spellings) - 1}}}
    answers = ask(rule, [order(n, **{field: text}) for n, text in enumerate(spellings)])
    assert [answer["decision"] for answer in answers] == ["approve"] * (len(spellings) - 1) + ["decline"]
    assert not any(answer["unread"] for answer in answers)


def test_a_blocked_address_does_not_pass_by_another_spelling(ask: Any) -> None:
    rule = {"when": {"ip": {"in": ["::ffff:203.0.113.51"]}}}
    answers = ask(rule, [order(n, ip=text) for n, text in enumerate(ADDRESSES)])
    assert {answer["decision"] for answer in answers} == {"decline"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("ip", "unknown"), ("ip", "-"), ("ip", 17), ("email", "none"), ("phone", "?"), ("shipping_country", "Atlantis"),
     ("currency", "?"), ("device_id", "x" * 999), ("items", 5), ("address_id", {"street": "Elm"})],
)  # fmt: skip
def test_an_order_is_decided_without_a_field_that_cannot_be_read_and_says_so(
    ask: Any, database: Engine, serve: Any, field: str, value: Any
) -> None:
    [answer] = ask({"when": {"amount": {"at_least": 0}}}, [order(1, **{field: value})])
    assert (answer["decision"], list(answer["unread"])) == ("decline", [field])
    audit = serve().get("/v1/orders/o-1/screening").json()
    assert audit["answer"]["unread"] == answer["unread"]
    with database.connect() as connection:
        [row] = connection.execute(text("SELECT message FROM order_messages")).scalars()
    assert not row.get(field)


def test_an_order_that_is_no_json_is_decided_by_what_can_be_read_of_it(gateway: Any) -> None:
    for number, value in enumerate(('"\\ud83d"', "NaN", "030-901820", "[" * 10_000 + "]" * 10_000)):
        body = json.dumps(order(number))[:-1] + f', "phone": {value}}}'
        answer = gateway.post("/v1/orders/screen", content=body)
        assert (answer.status_code, list(answer.json()["unread"])) == (200, ["phone"])
    for body in ("", "nonsense", "[" * 5000, '{"order_id": 5}', "[1]"):
        assert gateway.post("/v1/orders/screen", content=body).status_code == 400


def test_an_order_that_is_spelled_otherwise_is_no_conflict(gateway: Any) -> None:
    first = order(1, ip="203.0.113.51:5000", email="Eva@shop.example", currency="eur")
    answers = [
        gateway.post("/v1/orders/screen", json=first | given) for given in ({}, {"ip": ADDRESSES[2], "currency": "€"})
    ]
    assert answers[0].json() == answers[1].json()
    assert gateway.post("/v1/orders/screen", json=first | {"ip": "203.0.113.52"}).status_code == 409
