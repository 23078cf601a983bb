"""Read a list: the first page from a fallback chain of shelves, later ones from the rest in the cursor."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from api_gateway import database
from api_gateway.database import Connection
from api_gateway.experiment.service import OUTSIDE, Placed
from api_gateway.lists import cursor
from api_gateway.lists.paging import Paging
from api_gateway.recommend import schemas
from api_gateway.recommend.schemas import Answer
from api_gateway.services import Services
from storage.recommend import own_shelves, shelves
from storage.recommend.shelves import Listing, Query, Step


class Wanted(msgspec.Struct, frozen=True):
    """Which list is wanted. `owner` says in words whose list it is; with the surface it names the list.

    `placed` is the experiment and arm that the answer names.
    """

    surface: str
    owner: str
    chain: Sequence[Step]
    shoppers: Sequence[str] = ()
    anchor: str | None = None
    placed: Placed = OUTSIDE


async def read(services: Services, wanted: Wanted, paging: Paging) -> Answer:
    """Return the page. Raises `errors.Invalid` for a bad cursor, and asyncpg's errors."""
    of = f"{wanted.surface}\0{wanted.owner}"
    if paging.cursor is None:
        answer = await _first_page(services, wanted, paging, of)
    else:
        answer = await _later_page(services, wanted, paging, of, paging.cursor)
    services.metrics.served(answer.surface, answer.source)
    return answer


async def _first_page(services: Services, wanted: Wanted, paging: Paging, of: str) -> Answer:
    query = Query(
        chain=wanted.chain,
        shoppers=wanted.shoppers,
        hidden_kinds=services.hidden_kinds,
        category=paging.category,
        exclude=[*paging.exclude, wanted.anchor] if wanted.anchor is not None else paging.exclude,
        anchor=wanted.anchor,
        limit=paging.limit,
    )
    listing = await _listing(services, query)
    reason = None
    if not listing.item_nos and wanted.shoppers:
        listing = await _listing(services, _unhidden(query))
        reason = "every item left was already bought or dismissed, so they are shown again"
    if not listing.item_nos:
        reason = _why_empty(paging, wanted.anchor)
    return schemas.first_page(
        listing, surface=wanted.surface, of=of, category=paging.category, reason=reason, placed=wanted.placed
    )


async def _later_page(services: Services, wanted: Wanted, paging: Paging, of: str, packed: str) -> Answer:
    rest = cursor.unpack(packed, of)
    categories = [category for category in (rest.category, paging.category) if category is not None]
    found = await database.read(
        services.pool,
        lambda connection: shelves.page(
            connection, rest.item_nos, rest.reasons, categories=categories, exclude=paging.exclude, limit=paging.limit
        ),
    )
    return schemas.later_page(rest, found, paging.limit, surface=wanted.surface, of=of, placed=wanted.placed)


async def _listing(services: Services, query: Query) -> Listing:
    async def best(connection: Connection) -> Listing:
        return await own_shelves.read(connection, query) or await shelves.read(connection, query)

    return await database.read(services.pool, best)


def _unhidden(query: Query) -> Query:
    """Return the query with nothing hidden: a shop with items never shows an empty shelf."""
    return Query(
        chain=query.chain,
        shoppers=query.shoppers,
        category=query.category,
        exclude=query.exclude,
        anchor=query.anchor,
        limit=query.limit,
    )


def _why_empty(paging: Paging, anchor: str | None) -> str:
    if paging.category is None and not paging.exclude:
        others = "" if anchor is None else " but this one"
        return f"the catalogue has no available item{others}"
    return "no available item is left by the filters (category, exclude)"
