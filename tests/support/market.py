"""A shop of thirty weeks in two files: items that rise and go together, customers who return, and hostile texts."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import Engine

from model.market import baskets
from workers.load import service as loading
from workers.market import data
from workers.market.data import Market

START = datetime(2026, 1, 5, tzinfo=UTC)
WEEKS = 30
ITEMS = 24
RISING = "item-3"
TOGETHER = ("item-0", "item-1")
SCRIPT = '<script>alert("x")</script>'
FORMULA = "=HYPERLINK(1)"
CHINESE = "青花瓷茶壶 & 杯"
TITLES = {"item-0": SCRIPT, "item-1": CHINESE, "item-2": FORMULA, "item-22": "شاي أخضر", "item-23": "{{ 7 * 7 }}"}
CATEGORIES = ("Tea", "灯具", "<b>Lamps</b>")
NOT_FOUND = "<img src=x onerror=alert(1)>"

_EVENT = ("event_id", "user_id", "session_id", "item_id", "kind", "at", "value", "quantity", "query", "request_id")
_ITEM = ("item_id", "title", "category", "price", "currency", "stock")


def files(folder: Path, *, seed: int = 0) -> tuple[Path, Path]:
    """Write the events and the catalogue; return their paths."""
    events, items = folder / "events.csv", folder / "items.csv"
    _write(events, _EVENT, _events(random.Random(seed)))
    _write(items, _ITEM, _items())
    return events, items


def load(database: Engine, folder: Path) -> None:
    """Load both files into the tables."""
    events, items = files(folder)
    for path in (items, events):
        loading.write(database, loading.read(path))


def market_of(**given: Any) -> Market:
    """Return what the analyses work on: nothing, but for what is given."""
    blank = Market(
        through=datetime(2026, 5, 10, tzinfo=UTC),
        weeks=[],
        currency=None,
        demand=pl.DataFrame(schema=data.DEMAND),
        items=pl.DataFrame(schema=data.ITEMS),
        basket_items=[],
        baskets=baskets.none(0),
        customers=pl.DataFrame(schema=data.CUSTOMERS),
        cohorts=pl.DataFrame(schema=data.COHORTS),
        queries=pl.DataFrame(schema=data.QUERIES),
        tastes_CxD=np.zeros((0, 1)),
        vectors={},
    )
    return blank._replace(**given)


def _write(path: Path, header: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(header)
        lines.writerows(rows)


def _items() -> Iterator[tuple[object, ...]]:
    for number in range(ITEMS):
        item_id = f"item-{number}"
        category = CATEGORIES[number % 4] if number % 4 < 3 else ""
        stock = "" if number == 7 else (2 if number == 0 else 10_000)
        yield item_id, TITLES.get(item_id, f"Thing {number}"), category, 5 + number, "EUR", stock


def _events(draw: random.Random) -> Iterator[tuple[object, ...]]:
    for week in range(WEEKS):
        for visit in range(40):
            at = START + timedelta(weeks=week, hours=4 * visit, minutes=draw.randrange(60))
            customer = "" if visit % 10 == 9 else f"ann-{draw.randrange(120)}"
            yield from _basket(draw, week, f"s-{week}-{visit}", customer, at)
            yield from _search(draw, week, visit, customer or "bob", at)


def _basket(draw: random.Random, week: int, session: str, customer: str, at: datetime) -> Iterator[tuple[object, ...]]:
    bought = {draw.choice([2, *range(4, ITEMS)])}
    bought |= {0, 1} if draw.random() < 0.4 else set()
    bought |= {3} if draw.random() < week / WEEKS else set()
    for number in sorted(bought):
        quantity = draw.randint(1, 3)
        price = (5 + number) * (0.8 if draw.random() < 0.2 else 1.0)
        value = "" if number == 8 else round(price * quantity, 2)
        event_id = f"{session}-{number}"
        yield event_id, customer, session, f"item-{number}", "purchase", at.isoformat(), value, quantity, "", ""


def _search(draw: random.Random, week: int, visit: int, customer: str, at: datetime) -> Iterator[tuple[object, ...]]:
    request = f"r-{week}-{visit}"
    query = NOT_FOUND if week >= WEEKS - 2 and visit % 4 == 0 else ("Tea  pot" if visit % 2 else "lamp")
    yield request, customer, f"s-{week}-{visit}", "", "search", at.isoformat(), "", "", query, request
    if query != NOT_FOUND and draw.random() < 0.6:
        item = f"item-{draw.randrange(ITEMS)}"
        yield f"c-{request}", customer, f"s-{week}-{visit}", item, "click", at.isoformat(), "", "", "", request
