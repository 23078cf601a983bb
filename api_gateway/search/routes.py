"""Search results, and suggestions while a shopper types."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from api_gateway import services
from api_gateway.http import openapi, scoped
from api_gateway.lists.parameters import Asked, Cursor, Limit
from api_gateway.search import queries, service
from api_gateway.search import suggest as search_suggest
from api_gateway.search.schemas import Hits, Suggested
from storage.search.queries import Sort

Query = Annotated[str, QueryParameter(name="q", description="The query, 1 to 256 characters.")]
Typed = Annotated[str, QueryParameter(name="q", description="What was typed so far.")]
Categories = Annotated[
    list[str] | None,
    QueryParameter(name="category", required=False, description="Only items of this category; may be repeated."),
]
Brands = Annotated[
    list[str] | None,
    QueryParameter(name="brand", required=False, description="Only items of this brand; may be repeated."),
]
PriceFrom = Annotated[
    float | None,
    QueryParameter(name="price_from", required=False, ge=0, description="Only items of this price or more."),
]
PriceTo = Annotated[
    float | None, QueryParameter(name="price_to", required=False, ge=0, description="Only items of this price or less.")
]
InStock = Annotated[
    bool, QueryParameter(name="in_stock", description="Only items that are available; `false` also returns the others.")
]
Order = Annotated[
    Sort, QueryParameter(name="sort", description="The order; `relevance` sorts by score, the best first.")
]
UserId = Annotated[
    str | None, QueryParameter(name="user_id", required=False, description="The user whose taste is used to rank.")
]
SessionId = Annotated[
    str | None,
    QueryParameter(name="session_id", required=False, description="The session, for a shopper who is not logged in."),
]
Explain = Annotated[bool, QueryParameter(name="explain", description="Whether to say why the first items are found.")]
Most = Annotated[int, QueryParameter(name="limit", ge=1, le=20, description="Most phrases of the answer.")]


@get(
    "/v1/search",
    opt=scoped.READ,
    operation_id="search",
    summary="Search the catalogue",
    tags=["Search"],
    responses=openapi.READ_ERRORS,
    name="search",
)
async def search(
    request: Asked,
    q: Query,
    category: Categories = None,
    brand: Brands = None,
    price_from: PriceFrom = None,
    price_to: PriceTo = None,
    in_stock: InStock = True,
    sort: Order = "relevance",
    user_id: UserId = None,
    session_id: SessionId = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    explain: Explain = False,
) -> Hits:
    """The best match first; if nothing matches, what is nearest in meaning or popular, and `source` says so."""
    question = queries.read(
        q,
        categories=category or (),
        brands=brand or (),
        price_from=price_from,
        price_to=price_to,
        in_stock=in_stock,
        sort=sort,
        explain=explain,
        user_id=user_id,
        session_id=session_id,
    )
    found = services.from_request(request)
    if found.erased.known.has(question.shopper):
        question = question.without_shopper()
    return await service.answer(found, question, limit, cursor or None)


@get(
    "/v1/suggest",
    opt=scoped.READ,
    operation_id="suggest",
    summary="Complete what is typed",
    tags=["Search"],
    responses=openapi.READ_ERRORS,
    name="suggest",
)
async def suggest(request: Asked, q: Typed, limit: Most = 10) -> Suggested:
    """Phrases of the catalogue, and of what several shoppers searched for, that begin with what was typed."""
    return await search_suggest.complete(services.from_request(request), queries.typed(q), limit)
