"""Shelves about one item."""

from __future__ import annotations

from litestar import get

from api_gateway import chain, documentation, parameters, reading, services
from api_gateway.answers import Answer
from api_gateway.parameters import Asked, ItemId, Page
from api_gateway.reading import Wanted


@get(
    "/v1/items/{item_id:str}/similar",
    operation_id="similarItems",
    summary="Items like this one",
    tags=["Shelves"],
    responses=documentation.READ_ERRORS,
    name="similar",
)
async def similar(request: Asked, paging: Page, item_id: ItemId) -> Answer:
    """Similar → popular in the item's category → popular → newest. The item itself is never among them."""
    item_id = parameters.path_id(item_id, "item_id")
    steps = chain.of_similar(item_id, paging.category)
    return await reading.read(services.of(request), Wanted(chain.SIMILAR, item_id, steps, anchor=item_id), paging)


@get(
    "/v1/items/{item_id:str}/bought-together",
    operation_id="boughtTogether",
    summary="Items that stand in the same baskets as this one",
    tags=["Shelves"],
    responses=documentation.READ_ERRORS,
    name="bought_together",
)
async def bought_together(request: Asked, paging: Page, item_id: ItemId) -> Answer:
    """Bought together → similar → popular in the item's category → popular → newest."""
    item_id = parameters.path_id(item_id, "item_id")
    steps = chain.of_bought_together(item_id, paging.category)
    return await reading.read(
        services.of(request), Wanted(chain.BOUGHT_TOGETHER, item_id, steps, anchor=item_id), paging
    )
