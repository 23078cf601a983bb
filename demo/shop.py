"""The live shop: customers come and go, look at what the gateway serves, and their reactions are sent as events."""

from __future__ import annotations

import asyncio
import itertools
import random
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from demo import customers as people
from demo import taste as tastes
from demo.catalogue import Item
from demo.customers import HOME, Customer
from demo.gateway import Gateway, GatewayError, Shelf
from demo.tally import HTTP, MESSAGE, Tally
from demo.visits import Visit
from reshelf.producer import Producer

PAGES_PER_SECOND = 5.0
PAGES_A_VISIT = 3
THINKING_SECONDS = 1.5
DRIFT = 0.05
"""Probability, at the start of a visit, that the taste has changed."""
HTTP_SHARE = 0.2
"""Share of the visits whose events are sent over HTTP instead of as messages."""
SIMILAR_SHARE = 0.3
"""Share of the pages with a click after which the clicked item's own page is viewed."""
MOST_VISITS = 100


@dataclass
class Shop:
    """A shop with its customers. `pages` is how many shelves per second they view together."""

    gateway: Gateway
    producer: Producer
    customers: Sequence[Customer]
    items: Mapping[str, Item]
    tally: Tally
    rng: random.Random
    pages: float = PAGES_PER_SECOND

    def __post_init__(self) -> None:
        # The groups take turns, so that the comparison does not depend on who happened to come.
        shuffled = [self.rng.sample(group, len(group)) for group in people.by_group(self.customers)]
        self._away = deque(one for turn in itertools.zip_longest(*shuffled) for one in turn if one is not None)

    async def open(self, seconds: float) -> None:
        """Let customers visit for `seconds`; return when the last one has left."""
        clock = asyncio.get_running_loop()
        self._closes = clock.time() + seconds
        visits: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as group:
            while clock.time() < self._closes:
                if self._away and len(visits) < MOST_VISITS:
                    visit = group.create_task(self._visit(self._away.popleft()))
                    visits.add(visit)
                    visit.add_done_callback(visits.discard)
                pause = self.rng.expovariate(self.pages / PAGES_A_VISIT)
                await asyncio.sleep(min(pause, max(0.0, self._closes - clock.time())))

    async def _visit(self, customer: Customer) -> None:
        """View a few pages, with time to think between them."""
        if self.rng.random() < DRIFT:
            customer.taste = tastes.drift(customer.taste, self.rng)
        visit = Visit(customer, f"live-{uuid.uuid4().hex[:12]}")
        door = HTTP if self.rng.random() < HTTP_SHARE else MESSAGE
        try:
            for _ in range(PAGES_A_VISIT):
                await self._page(visit, door)
                await asyncio.sleep(self.rng.uniform(0.5, 1.5) * THINKING_SECONDS)
                if asyncio.get_running_loop().time() > self._closes:
                    break
        except GatewayError as error:
            self.tally.failures[str(error)] += 1
        finally:
            self._away.append(customer)

    async def _page(self, visit: Visit, door: str) -> None:
        customer = visit.customer
        shelf = await self.gateway.shelf_of(customer.group, customer.customer_id)
        if customer.group == HOME:
            self.tally.sources[shelf.source] += 1
            self.tally.model_versions[shelf.model_version or "none"] += 1
        reactions = await self._show(visit, shelf, customer.group, door)
        self.tally.looked(
            customer.group,
            customer.customer_id,
            shown=len(shelf.item_ids),
            clicked=len(reactions),
            bought=sum("purchase" in reaction.kinds for reaction in reactions),
        )
        if reactions and self.rng.random() < SIMILAR_SHARE:
            similar = await self.gateway.similar(reactions[0].item.item_id)
            await self._show(visit, similar, "similar", door)

    async def _show(self, visit: Visit, shelf: Shelf, surface: str, door: str) -> list[people.Reaction]:
        """Show a shelf, send the impressions and the customer's reactions, and return the reactions."""
        known = [self.items[item_id] for item_id in shelf.item_ids if item_id in self.items]
        reactions = list(people.look(visit.customer, known, self.rng))
        happened = [("impression", item) for item in known]
        happened += [(kind, reaction.item) for reaction in reactions for kind in reaction.kinds]
        events = [
            visit.event(kind, item, datetime.now(UTC), surface=surface, request_id=shelf.request_id)
            for kind, item in happened
        ]
        await self.send(events, door)
        return reactions

    async def send(self, events: Sequence[dict[str, Any]], door: str) -> None:
        """Send events as messages or over HTTP, and count them."""
        if door == HTTP:
            await self.gateway.send(events)
        else:
            for event in events:
                self.producer.event(**event)
        self.tally.sent([event["kind"] for event in events], door)
        self.tally.revenue += sum(event.get("value", 0.0) for event in events)
