"""The customers: which shelf they are shown, their hidden taste, and how they react to a shelf.

A customer examines a position of the shelf with a probability that falls with the position, and clicks on an examined
item with a probability that depends on the hidden taste. Nothing here reads a model or a score.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from demo import taste as tastes
from demo.catalogue import Item
from demo.taste import Taste

HOME = "home"
POPULAR = "popular"
GROUPS = (HOME, POPULAR)

COUNTRIES = ("DE", "FR", "CN", "NL", "PL")

CURIOSITY = 0.006
"""Probability of a click on any examined item."""
PULL = 0.6
"""Additional probability of a click on an examined item of the greatest appeal."""
FAMILIAR = 0.3
"""Factor of the click probability for items that the customer has clicked before."""
CART = 0.25
"""Probability that a clicked item goes into the cart; half of those are bought."""
BUY = 0.5


@dataclass
class Customer:
    """One customer. The group, which never changes, says which shelf the customer is shown."""

    customer_id: str
    country: str
    taste: Taste
    clicked: set[str] = field(default_factory=set)
    bought: set[str] = field(default_factory=set)

    @property
    def group(self) -> str:
        """Return `home` or `popular`."""
        return group_of(self.customer_id)


@dataclass(frozen=True)
class Reaction:
    """What a customer did with one item of a shelf, in order: click, then perhaps add_to_cart, then purchase."""

    item: Item
    kinds: tuple[str, ...]


def make(count: int, *, seed: int) -> list[Customer]:
    """Return `count` customers."""
    rng = random.Random(f"customers:{seed}")
    return [
        Customer(f"customer-{number:04d}", rng.choice(COUNTRIES), tastes.make(rng)) for number in range(1, count + 1)
    ]


def group_of(customer_id: str) -> str:
    """Return the customer's group in the comparison; the same in every run."""
    return GROUPS[hashlib.sha256(customer_id.encode()).digest()[0] % 2]


def by_group(customers: Sequence[Customer]) -> list[list[Customer]]:
    """Return the customers of each group, in the order of `GROUPS`."""
    return [[customer for customer in customers if customer.group == group] for group in GROUPS]


def examination(position: int) -> float:
    """Return the probability that a customer looks at this position of a shelf, counted from 0."""
    return 1 / (1 + 0.12 * position)


def click_probability(customer: Customer, item: Item) -> float:
    """Return the probability that the customer clicks on an examined item."""
    if item.item_id in customer.bought:
        return 0.0
    probability = CURIOSITY + PULL * tastes.appeal(customer.taste, item)
    return probability * (FAMILIAR if item.item_id in customer.clicked else 1.0)


def look(customer: Customer, shelf: Sequence[Item], rng: random.Random) -> Iterator[Reaction]:
    """Yield what the customer does with a shelf, from the top down; the customer's state is updated."""
    for position, item in enumerate(shelf):
        if rng.random() < examination(position) and rng.random() < click_probability(customer, item):
            yield react(customer, item, rng)


def react(customer: Customer, item: Item, rng: random.Random) -> Reaction:
    """Return what follows from a click on the item."""
    customer.clicked.add(item.item_id)
    if rng.random() >= CART:
        return Reaction(item, ("click",))
    if rng.random() >= BUY:
        return Reaction(item, ("click", "add_to_cart"))
    customer.bought.add(item.item_id)
    return Reaction(item, ("click", "add_to_cart", "purchase"))
