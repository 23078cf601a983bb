"""Reading prices, proposals and changes."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter
from sqlalchemy import Connection

from api_gateway import services
from api_gateway.http import auth, openapi, scoped
from api_gateway.http.errors import NotFound
from api_gateway.lists import parameters
from api_gateway.lists.parameters import Asked, ItemId
from api_gateway.pricing import schemas
from api_gateway.pricing.schemas import Changes, Price, Proposals
from storage.pricing import changes, facts, proposals
from workers.keys import scopes
from workers.pricing.rules import State

MOST = 1_000

Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=MOST, description="Most of the answer.")]
InState = Annotated[State | None, QueryParameter(name="state", required=False, description="Only those in this state.")]
OfItem = Annotated[str | None, QueryParameter(name="item_id", required=False, description="Only those of this item.")]
Before = Annotated[
    int | None, QueryParameter(name="before", required=False, ge=1, description="Only with a smaller `proposal_id`.")
]
After = Annotated[int, QueryParameter(name="after", ge=0, description="Only with a greater `change_no`.")]


@get(
    "/v1/prices/{item_id:str}",
    opt=scoped.READ,
    operation_id="price",
    summary="The price of an item",
    tags=["Pricing"],
    responses=openapi.FOUND_ERRORS,
    name="price",
)
async def price(request: Asked, item_id: ItemId) -> Price:
    """The same for every shopper. Without the scope `catalogue` no cost is shown, nor what tells of it."""
    item = parameters.path_id(item_id, "item_id")
    async with services.from_request(request).engine.connect() as connection:
        found = await connection.run_sync(_price, item)
    if auth.caller(request).may(scopes.CATALOGUE):
        return found
    return msgspec.structs.replace(found, cost=None, competitor_price=None, proposal=None)


@get(
    "/v1/pricing/proposals",
    opt=scoped.CATALOGUE,
    operation_id="priceProposals",
    summary="Proposed prices",
    tags=["Pricing"],
    responses=openapi.READ_ERRORS,
    name="price_proposals",
)
async def proposals_(
    request: Asked, limit: Limit = 100, in_state: InState = None, item_id: OfItem = None, before: Before = None
) -> Proposals:
    """The newest first, with what each is expected to bring and the guardrails that bit."""
    item = None if item_id is None else parameters.identity(item_id, "item_id")

    def read(connection: Connection) -> Proposals:
        found = proposals.recent(connection, state=in_state, item=item, before=before, most=limit)
        return Proposals([schemas.proposal(row) for row in found])

    async with services.from_request(request).engine.connect() as connection:
        return await connection.run_sync(read)


@get(
    "/v1/pricing/changes",
    opt=scoped.READ,
    operation_id="priceChanges",
    summary="Changes of prices",
    tags=["Pricing"],
    responses=openapi.READ_ERRORS,
    name="price_changes",
)
async def changes_(request: Asked, limit: Limit = 100, after: After = 0) -> Changes:
    """In order, for a backend that asks what is new. The rows are only ever added."""

    def read(connection: Connection) -> Changes:
        return Changes([schemas.change(row) for row in changes.after(connection, after, most=limit)])

    async with services.from_request(request).engine.connect() as connection:
        return await connection.run_sync(read)


def _price(connection: Connection, item: str) -> Price:
    found = facts.item(connection, item)
    if found is None:
        raise NotFound(f"there is no item {item!r} in the catalogue", field="item_id")
    proposed = proposals.newest(connection, item)
    changed = changes.recent(connection, item=item, most=1)
    return Price(
        item,
        found.price,
        found.currency,
        found.cost,
        found.competitor_price,
        found.promotion,
        None if proposed is None else schemas.proposal(proposed),
        schemas.change(changed[0]) if changed else None,
    )
