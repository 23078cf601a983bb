"""Facts: what rules may test of an order, by name. Pure: the gateway uses it too.

Facts of the order itself are always known. Velocities are counted by `storage.fraud.velocities`, and only if a rule
uses one. `probability` and `novelty` come from the model; without it they are unknown, and rules that use them rest
(they do not apply).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workers.canonical import orders as keys

NUMBER, TEXT, FLAG = "a number", "a text", "true or false"

Fact = float | str | bool

_TEXTS = {
    "customer": "customer_id",
    "payment": "payment_id",
    "device": "device_id",
    "ip": "ip",
    "address": "address_id",
    "email": "email",
    "phone": "phone",
    "terminal": "terminal_id",
    "currency": "currency",
    "shipping_country": "shipping_country",
    "billing_country": "billing_country",
}
FROM_ORDER = {
    **dict.fromkeys(_TEXTS, TEXT),
    "amount": NUMBER,
    "items": NUMBER,
    "pieces": NUMBER,
    "hour": NUMBER,
    "weekday": NUMBER,
    "countries_differ": FLAG,
}
FROM_MODEL = {"probability": NUMBER, "novelty": NUMBER}
COUNTED = ("customer", "payment", "device", "ip", "address", "email", "phone")
"""What orders are counted by."""
WINDOWS = {"1h": 3_600, "1d": 86_400, "7d": 604_800}
VELOCITIES = {
    **{f"{kind}_orders_{window}": NUMBER for kind in COUNTED for window in WINDOWS},
    **{f"{kind}_amount_{window}": NUMBER for kind in COUNTED for window in WINDOWS},
    **{f"{kind}_customers_7d": NUMBER for kind in COUNTED if kind != "customer"},
}
KNOWN = {**FROM_ORDER, **VELOCITIES, **FROM_MODEL}
"""Every fact, and its type."""


def form(fact: str, value: str) -> str:
    """Return what an operator typed of a fact in the form in which orders have it. Raises `ValueError`."""
    return keys.form(_TEXTS[fact], value) if fact in _TEXTS else value


def from_order(message: Mapping[str, Any]) -> dict[str, Fact]:
    """Return the facts of an order's message (JSON); a missing field gives no fact."""
    at = datetime.fromisoformat(message["at"]).astimezone(UTC)
    lines = message.get("items", [])
    found: dict[str, Fact] = {name: message[field] for name, field in _TEXTS.items() if message.get(field) is not None}
    found |= {"amount": message["amount"], "hour": at.hour, "weekday": at.isoweekday()}
    found |= {"items": len(lines), "pieces": sum(line.get("quantity", 1.0) for line in lines)}
    countries = [message.get("shipping_country"), message.get("billing_country")]
    if None not in countries:
        found["countries_differ"] = countries[0] != countries[1]
    return found
