"""Bots: flagged shoppers, whose events count only for their own shelf; operators flag and clear them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import PathParameter, QueryParameter
from sqlalchemy import Connection, Row
from sqlalchemy.exc import DBAPIError

from api_gateway import services
from api_gateway.http import auth, openapi, scoped
from api_gateway.http.errors import NotFound
from api_gateway.intake import doors
from api_gateway.lists import parameters
from api_gateway.lists.parameters import Asked
from api_gateway.services import Services
from storage.bots import actors
from storage.bots.actors import Suspicion
from storage.keys import audit
from storage.keys.audit import Actor
from workers.privacy import service as privacy

MOST = 1_000

_ATTEMPTS = 5

Shopper = Annotated[
    str, PathParameter(description="The user's id, or `session:` and a session's; a slash in it is sent as %2F.")
]
Flagged = Annotated[
    bool, QueryParameter(name="flagged", required=False, description="false: cleared shoppers instead of flagged ones.")
]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=MOST, description="Most shoppers of the answer.")]
Why = Annotated[str | None, QueryParameter(name="why", required=False, description="The reason, shown in the list.")]


class ActorShown(msgspec.Struct, frozen=True, kw_only=True):
    """A shopper who is, or was, flagged: why and by whom, who cleared them, and how many of their events are kept."""

    shopper: str
    flagged: bool
    reasons: list[str]
    detail: str
    flagged_by: str
    flagged_at: datetime
    cleared_by: str | None
    cleared_at: datetime | None
    spared_until: Annotated[
        datetime | None, msgspec.Meta(description="Until then the detector does not flag them for the same reasons.")
    ]
    events: int


class Actors(msgspec.Struct, frozen=True):
    """Flagged or cleared shoppers, the last changed first, and how many are flagged in all."""

    flagged: int
    alert: Annotated[str | None, msgspec.Meta(description="The warning of the detector's last run.")]
    actors: list[ActorShown]


@get(
    "/v1/actors",
    opt=scoped.ADMIN,
    operation_id="actors",
    summary="List flagged bots",
    tags=["Operations"],
    responses=openapi.READ_ERRORS,
    name="actors",
)
async def every(request: Asked, flagged: Flagged = True, limit: Limit = 100) -> Actors:
    """Shoppers who are flagged, or were cleared, with the reasons."""
    async with services.from_request(request).engine.connect() as connection:
        found = await connection.run_sync(lambda sync: actors.every(sync, flagged=flagged, most=limit))
        summary = await connection.run_sync(actors.summary)
    return Actors(summary.flagged, summary.alert, [_actor(row) for row in found])


@post(
    "/v1/actors/{shopper:str}/flag",
    opt=scoped.ADMIN,
    operation_id="flagActor",
    summary="Flag a shopper as a bot",
    tags=["Operations"],
    responses=openapi.READ_ERRORS,
    name="flag_actor",
    status_code=200,
)
async def flag(request: Asked, shopper: Shopper, why: Why = None) -> ActorShown:
    """All their events, past and future, are kept but count only for their own shelf.

    Flagging twice changes nothing.
    """
    name = parameters.path_id(shopper, "shopper")
    detail = actors.BY_HAND if why is None else parameters.text(why, "why", longest=1000)
    suspicion = Suspicion(name, [actors.BY_HAND], detail)
    by, found = auth.caller(request).actor, services.from_request(request)

    def change(connection: Connection) -> list[str]:
        flagged = actors.flag(connection, [suspicion], by=_named(by))
        if flagged:
            audit.record(connection, by, "actor flagged", privacy.pseudonym(found.settings, name), {"why": detail})
        return flagged

    return await _changed(found, name, change)


@post(
    "/v1/actors/{shopper:str}/clear",
    opt=scoped.ADMIN,
    operation_id="clearActor",
    summary="Let a shopper's events count again",
    tags=["Operations"],
    responses=openapi.ACTOR_ERRORS,
    name="clear_actor",
    status_code=200,
)
async def clear(request: Asked, shopper: Shopper) -> ActorShown:
    """All their events count again, also past ones. Clearing twice changes nothing."""
    name = parameters.path_id(shopper, "shopper")
    by, found = auth.caller(request).actor, services.from_request(request)

    def change(connection: Connection) -> list[str]:
        cleared = actors.clear(connection, [name], by=_named(by))
        if cleared:
            audit.record(connection, by, "actor cleared", privacy.pseudonym(found.settings, name), {})
        return cleared

    return await _changed(found, name, change)


async def _changed(services: Services, shopper: str, change: Callable[[Connection], list[str]]) -> ActorShown:
    """Commit the change, ring for what it made due, and return the shopper. Raises `errors.NotFound`."""
    for left in reversed(range(_ATTEMPTS)):
        try:
            async with services.engine.begin() as connection:
                moved = await connection.run_sync(change)
                found = await connection.run_sync(actors.named, shopper)
            break
        except DBAPIError as error:
            if not left or not doors.is_transient(error):
                raise
            await asyncio.sleep(random.uniform(0.01, 0.05))
    if moved:
        services.doorbell.ring(*actors.MOVED)
    if found is None:
        raise NotFound(f"nobody ever flagged {shopper!r}", field="shopper", fix="GET /v1/actors lists who is flagged")
    return _actor(found)


def _named(by: Actor) -> str:
    """Return `flagged_by` or `cleared_by` of a change over HTTP, which no key's name can pass for the detector's."""
    return f"http:{by.name}"


def _actor(row: Row[Any]) -> ActorShown:
    return ActorShown(**{name: getattr(row, name) for name in ActorShown.__struct_fields__})
