"""The weeks before the demo starts: customers who browse by taste, as training data."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from demo import customers as people
from demo import taste as tastes
from demo import visits
from demo.catalogue import Item
from demo.customers import Customer

WEEKS = 4
VISITS = (5, 11)
ITEMS_A_VISIT = (2, 5)
DRIFT = 0.04
"""Probability, at each visit, that the taste has changed since the last one."""
STRAY = 0.1
"""Share of the viewed items that have nothing to do with the taste."""


def make(customers: Sequence[Customer], items: Sequence[Item], *, until: datetime, seed: int) -> list[dict[str, Any]]:
    """Return the events of the weeks before `until`, in the order of their times.

    The customers are updated: what they clicked and bought, and how their tastes have changed.
    """
    departments: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        departments[item.department].append(item)
    events = [
        event
        for customer in customers
        for event in _of_customer(customer, items, departments, until, random.Random(f"{seed}:{customer.customer_id}"))
    ]
    return sorted(events, key=lambda event: (event["at"], event["event_id"]))


def _of_customer(
    customer: Customer,
    items: Sequence[Item],
    departments: dict[str, list[Item]],
    until: datetime,
    rng: random.Random,
) -> Iterator[dict[str, Any]]:
    span = timedelta(weeks=WEEKS)
    starts = sorted(until - span * rng.random() - timedelta(hours=1) for _ in range(rng.randint(*VISITS)))
    for number, start in enumerate(starts):
        if rng.random() < DRIFT:
            customer.taste = tastes.drift(customer.taste, rng)
        visit = visits.Visit(customer, f"past-{customer.customer_id}-{number}")
        at = start
        for item in _looked_at(customer, items, departments, rng):
            for kind in people.react(customer, item, rng).kinds:
                yield visit.event(kind, item, at)
                at += timedelta(seconds=rng.uniform(10, 90))


def _looked_at(
    customer: Customer, items: Sequence[Item], departments: dict[str, list[Item]], rng: random.Random
) -> list[Item]:
    """Draw the items of one visit by taste, with a few random ones."""
    known = [item for name in customer.taste.departments for item in departments[name]]
    weights = [people.click_probability(customer, item) for item in known]
    count = rng.randint(*ITEMS_A_VISIT)
    drawn = rng.choices(known, weights, k=count) if any(weights) else []
    distinct = {item.item_id: item for item in drawn}.values()
    return [rng.choice(items) if rng.random() < STRAY else item for item in distinct]
