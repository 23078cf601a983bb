"""Recommendations for a user, or for a visitor who is not logged in."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from api_gateway import chain, documentation, experiments, parameters, reading, services
from api_gateway.answers import Answer
from api_gateway.parameters import Asked, Country, Page, Referrer, Segment, SessionId, Traits, UserId
from api_gateway.reading import Wanted
from workers.contract.events import shopper_key


@get(
    "/v1/users/{user_id:str}/recommendations",
    operation_id="recommendForUser",
    summary="What a user should see",
    tags=["Shelves"],
    responses=documentation.READ_ERRORS,
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

    A user in an arm that is shown what is popular gets popular → newest.
    """
    user_id = parameters.path_id(user_id, "user_id")
    session_id = None if session_id is None else parameters.identity(session_id, "session_id")
    shoppers = [user_id] if session_id is None else [user_id, shopper_key(None, session_id)]
    traits = parameters.traits(segment, country, referrer, trait)
    placed, arm = services.of(request).following.arm_of(user_id)
    steps = experiments.chain_of(arm, user_id, session_id, traits, paging.category)
    wanted = Wanted(chain.HOME, user_id, steps, shoppers, placed=placed)
    return await reading.read(services.of(request), wanted, paging)


@get(
    "/v1/recommendations",
    operation_id="recommendForSession",
    summary="What a visitor should see who is not logged in",
    tags=["Shelves"],
    responses=documentation.READ_ERRORS,
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

    A visitor in an arm that is shown what is popular gets popular → newest.
    """
    session_id = parameters.identity(session_id, "session_id")
    shopper = shopper_key(None, session_id)
    traits = parameters.traits(segment, country, referrer, trait)
    placed, arm = services.of(request).following.arm_of(shopper)
    steps = experiments.chain_of(arm, None, session_id, traits, paging.category)
    wanted = Wanted(chain.HOME, shopper, steps, [shopper], placed=placed)
    return await reading.read(services.of(request), wanted, paging)
