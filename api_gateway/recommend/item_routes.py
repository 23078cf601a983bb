"""Shelves about one item."""

from __future__ import annotations

from litestar import get

from api_gateway import services
from api_gateway.http import openapi, scoped
from api_gateway.lists import fallback, parameters
from api_gateway.lists.parameters import Asked, ItemId, Page
from api_gateway.recommend import service
from api_gateway.recommend.schemas import Answer
from api_gateway.recommend.service import Wanted


@get(
    "/v1/items/{item_id:str}/similar",
    opt=scoped.READ,
    operation_id="similarItems",
    summary="Items like this one",
    tags=["Shelves"],
    responses=openapi.READ_ERRORS,
    name="similar",
)
async def similar(request: Asked, paging: Page, item_id: ItemId) -> Answer:
    """Similar → popular in the item's category → popular → newest. The item itself is never among them."""
    item_id = parameters.path_id(item_id, "item_id")
    steps = fallback.for_similar(item_id, paging.category)
    return await service.read(
        services.from_request(request), Wanted(fallback.SIMILAR, item_id, steps, anchor=item_id), paging
    )


@get(
    "/v1/items/{item_id:str}/bought-together",
    opt=scoped.READ,
    operation_id="boughtTogether",
    summary="Items bought together with this one",
    tags=["Shelves"],
    responses=openapi.READ_ERRORS,
    name="bought_together",
)
async def bought_together(request: Asked, paging: Page, item_id: ItemId) -> Answer:
    """Bought together → similar → popular in the item's category → popular → newest."""
    item_id = parameters.path_id(item_id, "item_id")
    steps = fallback.for_bought_together(item_id, paging.category)
    return await service.read(
        services.from_request(request), Wanted(fallback.BOUGHT_TOGETHER, item_id, steps, anchor=item_id), paging
    )
