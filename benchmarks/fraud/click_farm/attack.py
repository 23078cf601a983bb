"""Fake customers who promote items: simple ones, ones that behave like people, and ones that prepare for weeks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from demo import catalogue, customers, history
from demo.catalogue import Item
from demo.customers import Customer

PREFIX = "fake-"
_DAYS = 6.0


@dataclass(frozen=True)
class Attack:
    """How the fake customers behave. `share` of the items that each touches are targets, in a random order.

    `repeats` clicks on each target; pauses like a person's, or a `machine`'s; `aged` accounts browsed weeks ago,
    `bought` ones bought something then; a share of `buying` of them buy a target now.
    """

    name: str
    share: float = 1.0
    targets_each: int = 20
    repeats: int = 1
    machine: bool = False
    aged: bool = False
    bought: bool = False
    buying: float = 0.0


ATTACKS = (
    Attack("blunt: every target five times, a click every two seconds", repeats=5, machine=True),
    Attack("patient: every target once, like a person", share=1.0),
    Attack("half of it other items by taste", share=0.5),
    Attack("a quarter targets, the rest by taste", share=0.25),
    Attack("a tenth targets, the rest by taste", share=0.1),
    Attack("five targets each and as many others", share=0.5, targets_each=5),
    Attack("three targets each and nothing else", targets_each=3),
    Attack("two targets each and nothing else", targets_each=2),
    Attack("three targets each and twenty-seven others", share=0.1, targets_each=3),
    Attack("one target each and nothing else", targets_each=1),
    Attack("half others, accounts that browsed weeks ago", share=0.5, aged=True),
    Attack("half others, a tenth of them buy a target", share=0.5, buying=0.1),
    Attack("half others, accounts that bought weeks ago", share=0.5, aged=True, bought=True),
)


def events(
    attack: Attack, targets: Sequence[Item], items: Sequence[Item], *, users: int, until: datetime, seed: int
) -> list[dict[str, Any]]:
    """Return the events of the fake customers in the last days before `until`, and weeks before if they prepared."""
    found = []
    for number in range(users):
        rng = random.Random(f"{attack.name}:{seed}:{number}")
        customer = Customer(f"{PREFIX}{number:04d}", "DE", customers.tastes.make(rng))
        found += list(_of_one(attack, customer, targets, items, until, rng))
    return found


def targets_of(items: Sequence[Item], counts: dict[str, int], *, seed: int, count: int = 20) -> list[Item]:
    """Draw the promoted items among the half of the items with the fewest events."""
    by_events = sorted(items, key=lambda item: (counts.get(item.item_id, 0), item.item_id))
    return random.Random(f"targets:{seed}").sample(by_events[: len(items) // 2], count)


def _of_one(
    attack: Attack, customer: Customer, targets: Sequence[Item], items: Sequence[Item], until: datetime, rng: Any
) -> Iterator[dict[str, Any]]:
    chosen = [item for item in rng.sample(list(targets), attack.targets_each) for _ in range(attack.repeats)]
    others = round(len(chosen) * (1 / attack.share - 1))
    touched = chosen + _by_taste(customer, items, others, rng)
    rng.shuffle(touched)
    at = until - timedelta(days=_DAYS * rng.random())
    buys = rng.random() < attack.buying
    numbers = iter(range(10_000))
    if attack.aged:
        yield from _aged(attack, customer, items, until, rng, numbers)
    for item in touched:
        yield _event(customer, "click", item, at, numbers)
        if buys and item in targets:
            yield _event(customer, "purchase", item, at + timedelta(seconds=20), numbers)
            buys = False
        at += timedelta(seconds=rng.uniform(1.9, 2.1) if attack.machine else min(rng.lognormvariate(3.5, 1), 600))
        at = min(at, until)


def _aged(
    attack: Attack, customer: Customer, items: Sequence[Item], until: datetime, rng: Any, numbers: Iterator[int]
) -> Iterator[dict[str, Any]]:
    at = until - timedelta(days=rng.uniform(10, 25))
    for item in _by_taste(customer, items, 4, rng):
        yield _event(customer, "click", item, at, numbers)
        at += timedelta(seconds=rng.lognormvariate(3.5, 1))
    if attack.bought:
        yield _event(customer, "purchase", item, at, numbers)


def _by_taste(customer: Customer, items: Sequence[Item], count: int, rng: Any) -> list[Item]:
    weights = [customers.click_probability(customer, item) for item in items]
    return rng.choices(list(items), weights, k=count) if count else []


def _event(customer: Customer, kind: str, item: Item, at: datetime, numbers: Iterator[int]) -> dict[str, Any]:
    return {
        "event_id": f"{customer.customer_id}-{next(numbers)}",
        "kind": kind,
        "at": at.isoformat(),
        "user_id": customer.customer_id,
        "item_id": item.item_id,
    }


def real(people: Sequence[Customer], items: Sequence[Item], newcomers: int, *, until: datetime, seed: int) -> list[Any]:
    """Return four weeks of the real customers; the last `newcomers` of them came in the last week only."""
    made = history.make(people, items, until=until, seed=seed)
    late = {customer.customer_id for customer in people[len(people) - newcomers :]}
    week = until - timedelta(days=7)
    kept = (event for event in made if event["user_id"] not in late or event["at"] > week)
    return [event | {"at": event["at"].isoformat()} for event in kept]


def announced(items: Sequence[Item], at: datetime) -> list[dict[str, Any]]:
    """Return the catalogue as catalogue changes."""
    return [catalogue.change(item, at) | {"at": at.isoformat()} for item in items]
