"""What a customer likes: hidden from the workers, which only see what the customer does."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from demo.catalogue import Item
from demo.words import DEPARTMENTS, Department

INTERESTS = (0.55, 0.3, 0.15)
"""The weights of the first, second and third department of a taste."""

OTHER_KIND = 0.12
OTHER_BRAND = 0.4
"""Factor of the appeal of an item of another kind, or of another brand, than the liked ones."""
PRICE_WIDTH = 0.3
"""Spread of the liked price levels, on a scale from 0 to 1."""

_BY_NAME = {department.name: department for department in DEPARTMENTS}


@dataclass(frozen=True)
class Taste:
    """Departments by weight (with sum 1), and within them the liked kinds, brands and price level."""

    departments: dict[str, float]
    nouns: frozenset[str]
    brands: frozenset[str]
    price_level: float


def make(rng: random.Random) -> Taste:
    """Return a taste for three departments; the shop's first departments are liked by more people."""
    names = _distinct_departments(rng, len(INTERESTS))
    liked = [_details(_BY_NAME[name], rng) for name in names]
    return Taste(
        departments=dict(zip(names, INTERESTS, strict=True)),
        nouns=frozenset().union(*(nouns for nouns, _ in liked)),
        brands=frozenset().union(*(brands for _, brands in liked)),
        price_level=rng.random(),
    )


def appeal(taste: Taste, item: Item) -> float:
    """Return the item's appeal to the customer, from 0 to 1; 0 outside of the departments of the taste."""
    interest = taste.departments.get(item.department, 0.0) / INTERESTS[0]
    if interest == 0:
        return 0.0
    kind = 1.0 if item.noun in taste.nouns else OTHER_KIND
    brand = 1.0 if item.brand in taste.brands else OTHER_BRAND
    distance = (item.price_level - taste.price_level) / PRICE_WIDTH
    return min(1.0, math.sqrt(interest) * kind * brand * math.exp(-0.5 * distance * distance) * math.sqrt(item.appeal))


def drift(taste: Taste, rng: random.Random) -> Taste:
    """Return the taste after a part of its weakest interest has moved to another department."""
    names = sorted(taste.departments, key=lambda name: -taste.departments[name])
    fresh = next(name for name in _distinct_departments(rng, len(DEPARTMENTS)) if name not in names)
    nouns, brands = _details(_BY_NAME[fresh], rng)
    weights = list(taste.departments.values())
    return replace(
        taste,
        departments=dict(zip([*names[:-1], fresh], sorted(weights, reverse=True), strict=True)),
        nouns=taste.nouns | nouns,
        brands=taste.brands | brands,
    )


def _details(department: Department, rng: random.Random) -> tuple[frozenset[str], frozenset[str]]:
    nouns: Sequence[str] = rng.sample(sorted(department.kinds), 2)
    return frozenset(nouns), frozenset(rng.sample(department.brands, 2))


def _distinct_departments(rng: random.Random, count: int) -> list[str]:
    """Draw distinct departments, number n with a weight of 1/(n + 4)."""
    # Exponential keys (Efraimidis and Spirakis): the largest `count` are a weighted sample without replacement.
    keys = {one.name: rng.random() ** (n + 4) for n, one in enumerate(DEPARTMENTS)}
    return sorted(keys, key=lambda name: -keys[name])[:count]
