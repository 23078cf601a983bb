"""Shelves for everybody: popular and new."""

from __future__ import annotations

from litestar import get

from api_gateway import services
from api_gateway.http import openapi, scoped
from api_gateway.lists import fallback
from api_gateway.lists.parameters import Asked, Page
from api_gateway.recommend import service
from api_gateway.recommend.schemas import Answer
from api_gateway.recommend.service import Wanted


@get(
    "/v1/popular",
    opt=scoped.READ,
    operation_id="popular",
    summary="Popular items",
    tags=["Shelves"],
    responses=openapi.READ_ERRORS,
    name="popular",
)
async def popular(request: Asked, paging: Page) -> Answer:
    """Popular, of the given category or of all → newest."""
    steps = fallback.for_popular(paging.category)
    return await service.read(services.from_request(request), Wanted(fallback.POPULAR, "", steps), paging)


@get(
    "/v1/new",
    opt=scoped.READ,
    operation_id="newest",
    summary="New items",
    tags=["Shelves"],
    responses=openapi.READ_ERRORS,
    name="new",
)
async def new(request: Asked, paging: Page) -> Answer:
    """The available items from the catalogue, the newest first."""
    return await service.read(services.from_request(request), Wanted(fallback.NEW, "", fallback.for_new()), paging)
