"""Recommendations for a user, or for a visitor who is not logged in."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from api_gateway import services
from api_gateway.experiment import service
from api_gateway.http import openapi, scoped
from api_gateway.lists import fallback, parameters
from api_gateway.lists.parameters import Asked, Country, Page, Referrer, Segment, SessionId, Traits, UserId
from api_gateway.recommend import service as recommend_service
from api_gateway.recommend.schemas import Answer
from api_gateway.recommend.service import Wanted
from reshelf.events import shopper_key


@get(
    "/v1/users/{user_id:str}/recommendations",
    opt=scoped.READ,
    operation_id="recommendForUser",
    summary="Recommendations for a user",
    tags=["Shelves"],
    responses=openapi.READ_ERRORS,
    name="user_recommendations",
)
async def for_user(
    request: Asked,
    paging: Page,
    user_id: UserId,
    session_id: SessionId = None,
    segment: Segment = None,
    country: Country = None,
    referrer: Referrer = None,
    trait: Traits = None,
) -> Answer:
    """Personal → session → segment (traits given here, then stored ones) → popular → newest.

    A user in an arm with the treatment `popular` gets popular → newest.
    """
    user_id = parameters.path_id(user_id, "user_id")
    session_id = None if session_id is None else parameters.identity(session_id, "session_id")
    shoppers = [user_id] if session_id is None else [user_id, shopper_key(None, session_id)]
    traits = parameters.traits(segment, country, referrer, trait)
    placed, arm = services.from_request(request).following.arm_of(user_id)
    steps = service.chain_of(arm, user_id, session_id, traits, paging.category)
    wanted = Wanted(fallback.HOME, user_id, steps, shoppers, placed=placed)
    return await recommend_service.read(services.from_request(request), wanted, paging)


@get(
    "/v1/recommendations",
    opt=scoped.READ,
    operation_id="recommendForSession",
    summary="Recommendations for a visitor who is not logged in",
    tags=["Shelves"],
    responses=openapi.READ_ERRORS,
    name="session_recommendations",
)
async def for_session(
    request: Asked,
    paging: Page,
    session_id: Annotated[str, QueryParameter(name="session_id", description="The visitor's session.")],
    segment: Segment = None,
    country: Country = None,
    referrer: Referrer = None,
    trait: Traits = None,
) -> Answer:
    """Session → segment (traits given here, then stored ones) → popular → newest.

    A visitor in an arm with the treatment `popular` gets popular → newest.
    """
    session_id = parameters.identity(session_id, "session_id")
    shopper = shopper_key(None, session_id)
    traits = parameters.traits(segment, country, referrer, trait)
    placed, arm = services.from_request(request).following.arm_of(shopper)
    steps = service.chain_of(arm, None, session_id, traits, paging.category)
    wanted = Wanted(fallback.HOME, shopper, steps, [shopper], placed=placed)
    return await recommend_service.read(services.from_request(request), wanted, paging)
