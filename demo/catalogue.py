"""The simulated shop's catalogue; the same seed and numbers give the same items."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from demo.words import DEPARTMENTS, Department

MOST_ITEMS = 10_000
CURRENCY = "EUR"


@dataclass(frozen=True)
class Item:
    """An item as the shop knows it.

    `appeal` (mean about 1) is how much customers like it; the workers do not know it. `price_level` is its position in
    the price range of its kind, from 0 to 1.
    """

    item_id: str
    title: str
    department: str
    noun: str
    brand: str
    price: float
    price_level: float
    attributes: dict[str, str]
    appeal: float


def make(count: int, *, seed: int) -> list[Item]:
    """Return `count` items, spread evenly over the departments and their kinds of products."""
    rng = random.Random(f"catalogue:{seed}")
    kinds = [(department, noun) for department in DEPARTMENTS for noun in department.kinds]
    shares = [len(range(place, count, len(kinds))) for place in range(len(kinds))]
    items = [
        item
        for (department, noun), share in zip(kinds, shares, strict=True)
        for item in _of_kind(department, noun, share, rng)
    ]
    return [_numbered(item, number) for number, item in enumerate(items, start=1)]


def change(item: Item, at: datetime) -> dict[str, Any]:
    """Return the fields of the catalogue change that creates the item."""
    return {
        "kind": "upsert",
        "change_id": f"announce-{item.item_id}",
        "at": at,
        "item_id": item.item_id,
        "title": item.title,
        "category": item.department,
        "brand": item.brand,
        "price": item.price,
        "currency": CURRENCY,
        "attributes": {"type": item.noun} | item.attributes,
    }


def _of_kind(department: Department, noun: str, count: int, rng: random.Random) -> list[Item]:
    combinations = list(itertools.product(department.brands, *department.axes.values()))
    chosen = rng.sample(combinations, min(count, len(combinations)))
    return [_item(department, noun, words, rng) for words in chosen]


def _item(department: Department, noun: str, words: tuple[str, ...], rng: random.Random) -> Item:
    brand, first, second = words
    low, high = department.kinds[noun]
    level = rng.random()
    return Item(
        item_id="",
        title=department.pattern.format(brand=brand, first=first, noun=noun, second=second),
        department=department.name,
        noun=noun,
        brand=brand,
        # Prices are spread evenly on a logarithmic scale, as in shops.
        price=round(math.exp(math.log(low) + level * (math.log(high) - math.log(low))) - 0.01, 2),
        price_level=level,
        attributes=dict(zip(department.axes, (first, second), strict=True)),
        appeal=min(4.0, rng.lognormvariate(-0.25, 0.7)),
    )


def _numbered(item: Item, number: int) -> Item:
    return Item(**(item.__dict__ | {"item_id": f"item-{number:05d}"}))
