"""The prober: how long after an event a customer's shelf reflects it, as seen from outside."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from demo import taste as tastes
from demo.catalogue import Item
from demo.customers import Customer
from demo.gateway import GatewayError
from demo.shop import Shop
from demo.tally import DOORS
from demo.visits import Visit

POLL_SECONDS = 0.02
PAUSE_SECONDS = 0.25
PATIENCE = 15.0


@dataclass(frozen=True)
class Prober:
    """Clicks as customers who are not part of the comparison of click rates."""

    shop: Shop
    customers: Sequence[Customer]
    items: Sequence[Item]
    rng: random.Random

    async def run(self, seconds: float) -> None:
        """Probe for `seconds`, by message and over HTTP in turn; the last probe is finished."""
        ends = time.monotonic() + seconds
        turn = 0
        while time.monotonic() < ends:
            try:
                await self._probe(DOORS[turn % len(DOORS)], self.customers[turn % len(self.customers)])
            except GatewayError as error:
                self.shop.tally.failures[str(error)] += 1
            turn += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def _probe(self, door: str, customer: Customer) -> None:
        at = datetime.now(UTC)
        event = Visit(customer, f"probe-{uuid.uuid4().hex[:12]}").event("click", self.rng.choice(self.items), at)
        sent = time.monotonic()
        await self.shop.send([event], door)
        if await seen(self.shop, customer.customer_id, at):
            self.shop.tally.latencies[door].append(time.monotonic() - sent)
        else:
            self.shop.tally.unseen += 1


def strangers(rng: random.Random, count: int = 20) -> list[Customer]:
    """Return customers only for the prober."""
    return [Customer(f"probe-{number:02d}", "DE", tastes.make(rng)) for number in range(count)]


async def seen(shop: Shop, customer_id: str, at: datetime, *, patience: float = PATIENCE) -> bool:
    """Wait until the customer's shelf reflects an event of that time; False after `patience` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        shelf = await shop.gateway.home(customer_id, limit=1)
        if shelf.is_personal and shelf.through is not None and shelf.through >= at:
            return True
        await asyncio.sleep(POLL_SECONDS)
    return False
