"""A shopper's own long shelf is read in a cheaper way: what it answers is what the chain of shelves answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from api_gateway import database
from api_gateway.lists import fallback
from storage.recommend import own_shelves, rankings, shelves
from storage.recommend.shelves import Listing, Query

LONG = shelves.FULL + 40
BECAUSE = [("i002", "view"), None, ("i003", "purchase"), ("gone", "view"), ("i140", "click")]

Both = Callable[[Query], tuple[Listing | None, Listing]]


@pytest.fixture
def both(database_url: str) -> Both:
    """Return a function that reads in both ways: from the own shelf, and from the chain."""

    async def read(query: Query) -> tuple[Listing | None, Listing]:
        connection = await database.connect(database_url)
        try:
            return await own_shelves.read(connection, query), await shelves.read(connection, query)
        finally:
            await connection.close()

    return lambda query: asyncio.run(_awaited(read(query)))


async def _awaited(reading: Awaitable[Any]) -> Any:
    return await reading


def asked(user: str | None = "ann", session: str | None = None, **fields: Any) -> Query:
    steps = fallback.for_shopper(user, session, [], None)
    return Query(chain=steps, shoppers=["ann"], hidden_kinds=["purchase"], limit=10, **fields)


@pytest.fixture
def stocked(shop: Any) -> list[str]:
    """The items of ann's shelf, most of which nothing explains."""
    found: list[str] = shop.stock(LONG)
    shop.rank(rankings.HOME, "ann", found, because=BECAUSE)
    return found


def test_both_ways_answer_the_same(both: Both, shop: Any, stocked: list[str]) -> None:
    own, chained = both(asked())
    assert own is not None
    assert own.item_nos == chained.item_nos
    assert len(own.products) == 10
    assert own.products == chained.products
    assert (own.scores, own.sources) == (chained.scores, chained.sources)
    assert own.reasons == chained.reasons
    assert [reason is not None for reason in own.reasons[:6]] == [True, False, True, False, True, False]
    assert (own.model_version, own.generated_at) == (chained.model_version, chained.generated_at)


def test_what_is_sold_out_is_on_no_page(both: Both, shop: Any, stocked: list[str]) -> None:
    for gone in ("i001", "i004", "i011"):
        shop.change("stock", gone, stock=0)
    shop.change("delete", "i130")
    own, chained = both(asked())
    assert own is not None
    assert own.products == chained.products
    assert [product.item_id for product in own.products][:3] == ["i002", "i003", "i005"]
    # Behind the page it is left out when that is shown.
    assert len(own.item_nos) == len(chained.item_nos) + 1
    assert set(chained.item_nos) < set(own.item_nos)


def test_the_first_shelf_that_stands_is_read(both: Both, shop: Any, stocked: list[str]) -> None:
    shop.rank(rankings.HOME, "session:s1", stocked[::-1])
    for query, source in (
        (asked(session="s1"), fallback.PERSONAL),
        (asked(user="unknown", session="s1"), fallback.SESSION),
        (asked(user=None, session="s1"), fallback.SESSION),
    ):
        own, chained = both(query)
        assert own is not None
        assert own == chained
        assert set(own.sources) == {source}


def test_a_shelf_to_be_filled_up_or_filtered_is_left_to_the_chain(both: Both, shop: Any, stocked: list[str]) -> None:
    shop.rank(rankings.HOME, "short", stocked[: shelves.FULL - 1])
    left = [asked("short"), asked("unknown"), asked(exclude=["i001"]), asked(category="shoes")]
    popular = replace(asked(), chain=fallback.for_popular(None))
    for query in (*left, popular):
        assert both(query)[0] is None


def test_where_too_many_of_the_best_are_sold_out_the_chain_fills_the_page(
    both: Both, gateway: Any, shop: Any, ids: Any, stocked: list[str]
) -> None:
    for gone in stocked[:60]:
        shop.change("stock", gone, stock=0)
    assert both(asked())[0] is None
    assert ids(gateway.get("/v1/users/ann/recommendations", params={"limit": 10}).json()) == stocked[60:70]
