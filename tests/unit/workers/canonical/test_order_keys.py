"""An order's keys: one form at every door, and no field that cannot be read costs an order its decision."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reshelf import parsing
from storage.fraud import orders
from workers import rows
from workers.canonical import orders as keys
from workers.fraud.rules import facts, rules

ORDER: dict[str, Any] = {
    "order_id": "o-1", "customer_id": "c-1", "at": "2026-03-01T12:00:00Z", "amount": 25.0, "currency": "EUR",
    "payment_id": "p-1", "device_id": "d-1", "ip": "198.51.100.7", "email": "eva@shop.example", "phone": "+4930901820",
    "address_id": "a-1", "shipping_country": "DE", "billing_country": "DE", "terminal_id": "t-1",
}  # fmt: skip
OTHERWISE: dict[str, Any] = {
    "order_id": " o-1", "customer_id": "c-1\u200b", "currency": "€", "payment_id": "ｐ-1", "ip": "::ffff:198.51.100.7",
    "email": "Eva@SHOP.example", "phone": "030 901820", "shipping_country": "deu", "billing_country": "Germany",
    "at": "2026-03-01T13:00:00+01:00",
}  # fmt: skip
FREE = sorted(ORDER.keys() - {"order_id", "customer_id", "at", "amount"})

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def taken(*batch: dict[str, Any]) -> list[dict[str, Any]]:
    parsed = parsing.parse_orders(batch)
    assert not parsed.bad
    return [orders.as_row(rows.order_row(one, parsed.unread.get(n))) for n, one in enumerate(parsed.good)]


def test_an_order_that_is_spelled_otherwise_is_the_same_order() -> None:
    one, other = taken(ORDER, ORDER | OTHERWISE)
    assert one == other
    assert orders.difference(one["message"], other["message"]) is None


def test_ids_that_are_mailboxes_or_numbers_have_the_form_of_those() -> None:
    one, other, third = taken(
        *(ORDER | {"customer_id": text} for text in ("Eva@Shop.Example", "eva@shop.example", "Eva"))
    )
    assert one["customer"] == other["customer"] != third["customer"]
    assert keys.identity("+49 30 901820") == keys.identity("+4930901820") == "+4930901820"
    assert [keys.identity(one) for one in ("A@b", "+A", "Eva")] == ["A@b", "+A", "Eva"]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("ip", "unknown"), ("ip", 7), ("ip", "x" * 5000), ("email", "none"), ("phone", "call me"), ("currency", "???"),
        ("shipping_country", "Atlantis"), ("billing_country", ""), ("device_id", "a\x00b"), ("device_id", 42),
        ("payment_id", "x" * 200), ("terminal_id", {"id": 1}), ("address_id", "\ud800"), ("items", "none"),
        ("items", [{"item_id": ""}]),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_read_is_left_out_and_said(field: str, given: Any) -> None:
    [row] = taken(ORDER | {field: given})
    message = row["message"]
    assert list(message[keys.UNREAD]) == [field]
    assert not message.get(field)
    [without] = taken({name: value for name, value in ORDER.items() if name != field} | {"currency": ORDER["currency"]})
    digests = {name: row[name] for name in orders.KEYS}
    assert digests == {name: without[name] for name in orders.KEYS}


def test_of_an_orders_lines_the_good_ones_are_kept() -> None:
    [row] = taken(ORDER | {"items": [{"item_id": "i-1"}, {"item_id": 5}, {"item_id": "i-2", "price": float("nan")}]})
    assert [line["item_id"] for line in row["message"]["items"]] == ["i-1"]
    assert list(row["message"][keys.UNREAD]) == ["items"]


@pytest.mark.parametrize(
    "change",
    [{"amount": None}, {"customer_id": ""}, {"at": "yesterday"}, {"colour": 1}, {"payment_id": "4111111111111111"}],
)
def test_what_an_order_needs_is_still_asked_for(change: dict[str, Any]) -> None:
    [bad] = parsing.parse_orders([ORDER | change]).bad
    assert bad.field == next(iter(change))


@given(st.dictionaries(st.sampled_from(FREE), junk | st.text(max_size=200)))
def test_whatever_stands_in_its_other_fields_an_order_is_taken(given: dict[str, Any]) -> None:
    parsed = parsing.parse_orders([ORDER | given, ORDER | {"order_id": "o-2"}])
    cards = [one for one in parsed.bad if one.error == "is the number of a card: send a fingerprint of it"]
    assert parsed.bad == cards
    for place, order in enumerate(parsed.good):
        row = orders.as_row(rows.order_row(order, parsed.unread.get(place)))
        assert keys.unified(row["message"]) == row["message"]


@pytest.mark.parametrize(
    ("fact", "typed", "given"),
    [
        ("ip", "198.51.100.7:5000", {"ip": "::ffff:198.51.100.7"}),
        ("ip", "2001:DB8::A1", {"ip": "[2001:db8:0::a1]:80"}),
        ("email", "EVA@shop.example", {}),
        ("phone", "+49 30 901820", {}),
        ("shipping_country", "Germany", {}),
        ("currency", "eur", {"currency": "€"}),
        ("device", " d-1 ", {}),
        ("customer", "Eva@Shop.example", {"customer_id": "eva@shop.example"}),
    ],
)
@pytest.mark.parametrize("how", ["in", "equals", "list", "not_in"])
def test_a_rule_blocks_by_what_an_operator_typed(fact: str, typed: str, given: dict[str, Any], how: str) -> None:
    condition = {
        "in": {"in": ["x", typed]},
        "equals": {"equals": typed},
        "list": {"in": "@l"},
        "not_in": {"not_in": [typed]},
    }
    rule = {"name": "r", "decision": "decline", "reason": "blocked", "when": {fact: condition[how]}}
    rule_set = rules.from_json({"lists": {"l": [typed]}, "rules": [rule]})
    [row] = taken(ORDER | given)
    assert rules.decide(rule_set, facts.from_order(row["message"])).fired == ([] if how == "not_in" else ["r"])
    [other] = taken(
        {name: ORDER[name] for name in ("order_id", "at", "amount")}
        | {"customer_id": "c-9", "currency": "USD"}
        | {
            "ip": "203.0.113.9",
            "email": "x@y.example",
            "phone": "+4930901821",
            "shipping_country": "FR",
            "device_id": "d-9",
        }
    )
    assert rules.decide(rule_set, facts.from_order(other["message"])).fired == (["r"] if how == "not_in" else [])


def test_what_no_order_can_have_is_said_of_a_rule() -> None:
    when = {"ip": {"in": "@l"}, "device": {"in": "@l"}, "shipping_country": {"equals": "Atlantis"}}
    rule = {"name": "r", "decision": "decline", "reason": "blocked", "when": when}
    found = rules.from_json({"lists": {"l": ["203.0.113.0/24", "203.0.113.9:80"]}, "rules": [rule]})
    assert rules.unreadable(found) == [
        "rule 'r': no order has the ip '203.0.113.0/24'",
        "rule 'r': no order has the shipping_country 'Atlantis'",
    ]
