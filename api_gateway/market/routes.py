"""Market analysis: what sold, what is next, what goes together, and who buys."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from api_gateway import services
from api_gateway.http import openapi, scoped
from api_gateway.lists.parameters import Asked, Cursor
from api_gateway.market import csv, filters, schemas, service
from api_gateway.market.schemas import Overview, Table
from api_gateway.market.service import Found, Wanted
from storage.market.results import ANALYSES

MOST_ROWS = 10_000

_KNOWN = ("limit", "cursor", "format")

_SUMMARIES = {
    "sales": "Weekly sales of the shop and its categories",
    "forecasts": "Weekly demand to come, with intervals",
    "trends": "What rises and falls, and since when",
    "baskets": "Items that are bought together",
    "segments": "Segments of customers",
    "cohorts": "How many customers return",
    "queries": "Queries that are not answered well",
    "stock-risk": "How long the stock lasts",
    "response": "How sales differed with prices",
}

Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=MOST_ROWS, description="Most rows of a page.")]
Format = Annotated[
    Literal["json", "csv"] | None,
    QueryParameter(name="format", required=False, description="The form, where the header Accept does not say it."),
]


@get(
    "/v1/market",
    opt=scoped.READ,
    operation_id="market",
    summary="The newest analysis of the market",
    tags=["Market"],
    responses=openapi.MARKET_ERRORS,
    name="market",
)
async def overview(request: Asked) -> Overview:
    """When it was made, what it saw, and its tables."""
    async with services.from_request(request).engine.connect() as connection:
        version, counts = await connection.run_sync(service.overview)
    tables = [Table(name, f"/v1/market/{name}", count) for name, count in counts.items()]
    return Overview(schemas.about(version), tables)


def _reading(name: str) -> HTTPRouteHandler:
    """Return the route of an analysis. All of them read alike; their rows differ."""

    async def read(request: Asked, limit: Limit = 100, cursor: Cursor = None, format: Format = None) -> Response[Any]:
        """One page of rows, as JSON, or as CSV with `format=csv` or `Accept: text/csv`."""
        wanted = Wanted(name, limit, cursor or None, filters.read(name, request.query_params, _KNOWN))
        async with services.from_request(request).engine.connect() as connection:
            found = await connection.run_sync(service.page, wanted)
        return _csv(name, found) if _is_csv(request, format) else _json(name, found)

    page: Any = schemas.PAGES[name]
    read.__annotations__["return"] = Response[page]
    words = name.title().replace("-", "")
    return get(
        f"/v1/market/{name}",
        opt=scoped.READ,
        operation_id=f"market{words}",
        summary=_SUMMARIES[name],
        operation_class=filters.operation(name),
        tags=["Market"],
        responses=openapi.MARKET_ERRORS,
        name=f"market_{name}",
    )(read)


READING = [_reading(name) for name in ANALYSES]


def _is_csv(request: Asked, format: str | None) -> bool:
    if format is not None:
        return format == "csv"
    return request.accept.best_match(["application/json", "text/csv"]) == "text/csv"


def _json(name: str, found: Found) -> Response[Any]:
    made: Any = schemas.PAGES[name]
    return Response(made(schemas.about(found.version), found.rows, found.next_cursor), media_type="application/json")


def _csv(name: str, found: Found) -> Response[Any]:
    """The version, its time and the cursor are headers, so that every line is a row."""
    fields = ANALYSES[name].row.__struct_fields__
    content = csv.encode(fields, [msgspec.structs.astuple(row) for row in found.rows])
    headers = {
        "Content-Disposition": f'attachment; filename="market-{name}-{found.version.version}.csv"',
        "X-Market-Version": str(found.version.version),
        "X-Market-Finished-At": found.version.finished_at.isoformat(),
        "X-Market-Through": found.version.through.isoformat(),
    }
    if found.next_cursor is not None:
        headers["X-Next-Cursor"] = found.next_cursor
    return Response(content, media_type=csv.MEDIA_TYPE, headers=headers)
