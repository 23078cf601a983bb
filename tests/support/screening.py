"""Orders of a small shop for tests of screening, and a worker's work done in this process."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from reshelf import parsing
from storage import due
from storage.events import intake
from storage.fraud import orders
from workers import rows
from workers.fraud import configuration, loading, screening
from workers.fraud.serving import Serving
from workers.runtime import claims
from workers.settings import Settings

CUSTOMERS = 30


def order(number: int, at: datetime, **given: Any) -> dict[str, Any]:
    """Return one order; a customer has a device of his own or shares it, and cards now and then change hands."""
    draw = random.Random(number)
    customer = draw.randrange(CUSTOMERS)
    made = {
        "order_id": f"o-{number}",
        "customer_id": f"c-{customer}",
        "at": at.isoformat(),
        "amount": round(draw.lognormvariate(3, 1), 2),
        "currency": "EUR",
        "payment_id": f"p-{customer if draw.random() < 0.9 else draw.randrange(CUSTOMERS)}",
        "device_id": f"d-{customer // 2}",
        "ip": f"192.0.2.{customer % 7}",
        "address_id": f"a-{customer // 3}",
        "shipping_country": draw.choice(("FR", "DE")),
        "billing_country": "FR",
        "terminal_id": f"t-{draw.randrange(5)}",
    }
    if draw.random() < 0.1:
        del made["device_id"]
    return made | given


def write(database: Engine, batch: Sequence[dict[str, Any]]) -> set[str]:
    """Write orders as the doors do; return the ids of those that are new."""
    parsed = parsing.parse_orders(batch)
    assert not parsed.bad
    with database.begin() as connection:
        return orders.write(connection, [orders.as_row(rows.order_row(one)) for one in parsed.good])


def label(database: Engine, *labels: tuple[str, str]) -> None:
    """Write labels (order, kind) that become known now."""
    given = [
        {"label_id": f"{order_id}-{kind}", "order_id": order_id, "kind": kind, "at": datetime.now(UTC)}
        for order_id, kind in labels
    ]
    with database.begin() as connection:
        intake.write_labels(connection, given, writer="test")


def work(database: Engine, serving: Serving, settings: Settings) -> None:
    """Screen what is due, as the worker does."""
    while not claims.drain(database, due.ORDER, partial(screening.screen, database, serving), settings):
        pass


def load_past(database: Engine, folder: Path, *, count: int = 600, days: int = 40, share: float = 0.08) -> None:
    """Load past orders of the same customers; frauds are large, and were known five days later."""
    start = datetime.now(UTC) - timedelta(days=days + 2)
    links = ("payment_id", "device_id", "ip", "address_id", "terminal_id", "shipping_country")
    lines = [",".join(("order_id", "customer_id", "at", "amount", *links, "label", "labelled_at"))]
    lines += _past(start, count, days, share, links)
    path = folder / "past.csv"
    path.write_text("\n".join(lines) + "\n")
    found = loading.read(path, label_days=7)
    assert not found.rejected
    assert loading.write(database, found, configuration.features_of(Settings())) == count


def _past(start: datetime, count: int, days: int, share: float, fields: Sequence[str]) -> Iterator[str]:
    draw = random.Random(1)
    for number in range(count):
        made = order(100_000 + number, start + timedelta(days=days * number / count))
        guilty = draw.random() < share
        amount = made["amount"] * (6 if guilty else 1)
        known = (datetime.fromisoformat(made["at"]) + timedelta(days=5)).isoformat() if guilty else ""
        links = ",".join(made.get(name, "") for name in fields)
        yield f"past-{number},{made['customer_id']},{made['at']},{amount:.2f},{links},{int(guilty)},{known}"


def rows_of(database: Engine, sql: str, **parameters: Any) -> list[Any]:
    """Return the rows of a query."""
    with database.connect() as connection:
        return list(connection.execute(text(sql), parameters))
