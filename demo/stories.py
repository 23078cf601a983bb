"""Three customers who turn to something new: their shelves in titles, before and after a few clicks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from demo import prober
from demo.catalogue import Item
from demo.customers import HOME, Customer
from demo.shop import Shop
from demo.tally import MESSAGE
from demo.visits import Visit

STORIES = 3
CLICKS = 3
SHOWN = 5


@dataclass(frozen=True)
class Story:
    """One customer's shelf before and after. `seconds` is from the last click to the new shelf; None: never."""

    customer_id: str
    likes: list[str]
    clicks: list[str]
    before: list[Item]
    after: list[Item]
    seconds: float | None

    @property
    def fresh(self) -> set[str]:
        """Ids that are only on the later shelf."""
        return {item.item_id for item in self.after} - {item.item_id for item in self.before}


async def tell(shop: Shop, customers: Sequence[Customer], rng: random.Random) -> list[Story]:
    """Let a few customers of the `home` group click on something new, and return their shelves."""
    return [await _tell_one(shop, customer, rng) for customer in _protagonists(customers)]


def _protagonists(customers: Sequence[Customer]) -> Iterator[Customer]:
    """Yield the most active customers, each with another favourite department."""
    favourites: set[str] = set()
    for customer in sorted(customers, key=lambda one: (-len(one.clicked), one.customer_id)):
        favourite = next(iter(customer.taste.departments))
        if customer.group == HOME and favourite not in favourites and len(favourites) < STORIES:
            favourites.add(favourite)
            yield customer


async def _tell_one(shop: Shop, customer: Customer, rng: random.Random) -> Story:
    before = await _items(shop, customer)
    clicked = _something_new(shop, customer, rng)
    visit = Visit(customer, f"story-{customer.customer_id}")
    for item in clicked:
        at = datetime.now(UTC)
        await shop.send([visit.event("click", item, at)], MESSAGE)
    started = datetime.now(UTC)
    visible = await prober.seen(shop, customer.customer_id, at)
    return Story(
        customer_id=customer.customer_id,
        likes=list(customer.taste.departments),
        clicks=[item.title for item in clicked],
        before=before,
        after=await _items(shop, customer),
        seconds=(datetime.now(UTC) - started).total_seconds() if visible else None,
    )


async def _items(shop: Shop, customer: Customer) -> list[Item]:
    shelf = await shop.gateway.home(customer.customer_id, limit=SHOWN)
    return [shop.items[item_id] for item_id in shelf.item_ids]


def _something_new(shop: Shop, customer: Customer, rng: random.Random) -> list[Item]:
    """Choose items of one kind, from a department in which the customer has never clicked."""
    known = {shop.items[item_id].department for item_id in customer.clicked if item_id in shop.items}
    strangers = [item for item in shop.items.values() if item.department not in known]
    first = rng.choice(strangers or list(shop.items.values()))
    alike = [item for item in shop.items.values() if (item.department, item.noun) == (first.department, first.noun)]
    return rng.sample(alike, min(CLICKS, len(alike)))
