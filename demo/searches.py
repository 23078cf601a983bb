"""Customers who search: an English and a Chinese query, what they find, and how fast."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from demo.catalogue import Item
from demo.customers import HOME, Customer
from demo.shop import Shop
from demo.tally import HTTP
from demo.visits import Visit

QUERIES = ("hand grindr", "手机壳")
"""The first is misspelt."""
SHOWN = 5
_TRIES = 50


@dataclass(frozen=True)
class Search:
    """The result of one query. `seconds` is the time of the first answer, `again` that of a repeated one."""

    query: str
    meant: str | None
    titles: list[str]
    total: int
    source: str
    fallback: str | None
    seconds: float
    again: float


async def tell(shop: Shop, customers: Sequence[Customer]) -> list[Search]:
    """Let a customer search for each query, and send the impressions and clicks as events."""
    [customer, *_] = [one for one in customers if one.group == HOME]
    return [await _tell_one(shop, customer, query) for query in QUERIES]


async def _tell_one(shop: Shop, customer: Customer, query: str) -> Search:
    started = time.perf_counter()
    found = await shop.gateway.search(query, limit=SHOWN)
    seconds = time.perf_counter() - started
    await _until_known(shop, query)
    started = time.perf_counter()
    found = await shop.gateway.search(query, limit=SHOWN)
    again = time.perf_counter() - started
    items = [shop.items[item_id] for item_id in found.item_ids if item_id in shop.items]
    await shop.send(_events(customer, query, found.request_id, items), HTTP)
    return Search(query, found.meant, found.titles, found.total, found.source, found.fallback, seconds, again)


async def _until_known(shop: Shop, query: str) -> None:
    """Ask again until the worker's answer is there."""
    for _ in range(_TRIES):
        if (await shop.gateway.search(query, limit=SHOWN)).fallback is None:
            return
        await asyncio.sleep(0.1)


def _events(customer: Customer, query: str, request_id: str | None, items: Sequence[Item]) -> list[dict[str, object]]:
    """Return the events of a search whose first item was clicked."""
    visit, at = Visit(customer, f"search-{request_id}"), datetime.now(UTC)
    events = [visit.search(query, at, request_id=request_id)]
    shown = [("impression", rank, item) for rank, item in enumerate(items, start=1)]
    shown += [("click", 1, item) for item in items[:1]]
    for kind, rank, item in shown:
        event = visit.event(kind, item, at, surface="search", request_id=request_id)
        events.append(event | {"rank": rank})
    return events
