"""Shelves that are everyone's: popular and new."""

from __future__ import annotations

from litestar import get

from api_gateway import chain, documentation, reading, services
from api_gateway.answers import Answer
from api_gateway.parameters import Asked, Page
from api_gateway.reading import Wanted


@get(
    "/v1/popular",
    operation_id="popular",
    summary="What sells now",
    tags=["Shelves"],
    responses=documentation.READ_ERRORS,
    name="popular",
)
async def popular(request: Asked, paging: Page) -> Answer:
    """Popular, of the category that is asked for or of all → newest."""
    steps = chain.of_popular(paging.category)
    return await reading.read(services.of(request), Wanted(chain.POPULAR, "", steps), paging)


@get(
    "/v1/new",
    operation_id="newest",
    summary="What was announced last",
    tags=["Shelves"],
    responses=documentation.READ_ERRORS,
    name="new",
)
async def new(request: Asked, paging: Page) -> Answer:
    """The available items, read live, the newest first."""
    return await reading.read(services.of(request), Wanted(chain.NEW, "", chain.of_new()), paging)
