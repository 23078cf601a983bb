"""The simulated orders: customers with their own cards, devices and addresses, some of them shared."""

from __future__ import annotations

import csv
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

FIELDS = ("payment_id", "device_id", "ip", "address_id", "terminal_id", "shipping_country", "billing_country")
COLUMNS = ("order_id", "customer_id", "at", "amount", "currency", *FIELDS, "label", "labelled_at")


def order(draw: random.Random, order_id: str, customers: int, at: datetime) -> dict[str, Any]:
    """Return one order of a random customer; one in ten uses another card or device than usual."""
    customer = draw.randrange(customers)
    odd = draw.random() < 0.1
    return {
        "order_id": order_id,
        "customer_id": f"c-{customer}",
        "at": at.isoformat(),
        "amount": round(draw.lognormvariate(3.5, 0.8), 2),
        "currency": "EUR",
        "payment_id": f"p-{draw.randrange(customers) if odd else customer}",
        "device_id": f"d-{draw.randrange(customers) if odd else customer}",
        "ip": f"10.{customer % 50}.{customer // 50 % 200}.{draw.randrange(4)}",
        "address_id": f"a-{customer // 2}",
        "terminal_id": f"t-{draw.randrange(customers)}",
        "shipping_country": draw.choice(("FR", "DE", "IT")),
        "billing_country": "FR",
    }


def write_past(path: Path, *, count: int, customers: int, days: int, until: datetime) -> None:
    """Write `count` past orders; a stolen card pays six times as much, which is known a week later."""
    draw = random.Random(7)
    start, step = until - timedelta(days=days), timedelta(days=days) / count
    with path.open("w", newline="") as file:
        lines = csv.DictWriter(file, COLUMNS)
        lines.writeheader()
        for number in range(count):
            at = start + step * number
            made = order(draw, f"past-{number}", customers, at)
            is_fraud = draw.random() < 0.01
            if is_fraud:
                made["amount"] = round(6 * made["amount"], 2)
                made["labelled_at"] = (at + timedelta(days=7)).isoformat()
            lines.writerow(made | {"label": int(is_fraud)})
