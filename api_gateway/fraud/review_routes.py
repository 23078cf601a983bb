"""The review queue: the orders that rules and model leave to people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import get, post
from litestar.params import QueryParameter, RawBody
from sqlalchemy import Connection, Row

from api_gateway import services
from api_gateway.fraud.routes import OrderId
from api_gateway.http import bodies, openapi
from api_gateway.http.errors import Conflict, Invalid, NotFound
from api_gateway.lists import parameters
from api_gateway.lists.parameters import Asked
from reshelf.fields import Name
from storage.events import intake
from storage.fraud import reviews
from workers.fraud.rules.rules import Reason

Reviewer = Annotated[
    str | None,
    QueryParameter(name="reviewer", required=False, description="Only reviews that this reviewer has taken."),
]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=reviews.MOST, description="Most reviews of the answer.")]


class Review(msgspec.Struct, frozen=True):
    """An order that a person decides; `screened` is the decision of rules and model."""

    order_id: str
    opened_at: datetime
    why: str
    taken_by: str | None
    taken_at: datetime | None
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    screened: str
    probability: float | None
    reasons: list[Reason]
    order: Annotated[dict[str, Any], msgspec.Meta(description="As it was taken: its keys in one form.")]


class Reviews(msgspec.Struct, frozen=True):
    """Open reviews, the longest open first."""

    reviews: list[Review]


class Taking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes a review."""

    reviewer: Name


class Deciding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reviewer's decision; `fraud` also labels the order, true as confirmed fraud, false as cleared."""

    reviewer: Name
    decision: Literal["approve", "decline"]
    note: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    fraud: bool | None = None


@get(
    "/v1/reviews",
    operation_id="reviews",
    summary="List open reviews",
    tags=["Orders"],
    responses=openapi.READ_ERRORS,
    name="reviews",
)
async def waiting(request: Asked, reviewer: Reviewer = None, limit: Limit = 50) -> Reviews:
    """The open reviews, the longest open first."""

    def read(connection: Connection) -> Reviews:
        return Reviews([_shown(row) for row in reviews.waiting(connection, reviewer=reviewer, most=limit)])

    async with services.from_request(request).engine.connect() as connection:
        return await connection.run_sync(read)


@post(
    "/v1/reviews/{order_id:str}/take",
    status_code=200,
    operation_id="takeReview",
    operation_class=openapi.TakingOperation,
    summary="Take a review",
    tags=["Orders"],
    responses=openapi.REVIEW_ERRORS,
    name="take_review",
)
async def take(request: Asked, order_id: OrderId, body: RawBody) -> Review:
    """Nobody else can take or decide it then. Taking it again changes nothing."""
    given = _decode(await bodies.unpacked(request, body), Taking)
    key = parameters.path_id(order_id, "order_id")

    def write(connection: Connection) -> Review:
        done = reviews.take(connection, key, given.reviewer)
        return _after(connection, key, done)

    async with services.from_request(request).engine.begin() as connection:
        return await connection.run_sync(write)


@post(
    "/v1/reviews/{order_id:str}/decide",
    status_code=200,
    operation_id="decideReview",
    operation_class=openapi.DecidingOperation,
    summary="Decide a review",
    tags=["Orders"],
    responses=openapi.REVIEW_ERRORS,
    name="decide_review",
)
async def decide(request: Asked, order_id: OrderId, body: RawBody) -> Review:
    """Approve or decline for good; the screening stays beside it as it was."""
    given = _decode(await bodies.unpacked(request, body), Deciding)
    key = parameters.path_id(order_id, "order_id")
    found = services.from_request(request)

    def write(connection: Connection, writer: str) -> Review:
        done = reviews.decide(connection, key, given.reviewer, given.decision, given.note)
        review = _after(connection, key, done)
        if given.fraud is not None:
            kind = "confirmed_fraud" if given.fraud else "cleared"
            label = {"label_id": f"review:{key}", "order_id": key, "kind": kind, "at": review.decided_at}
            intake.write_labels(connection, [label], writer=writer)
        return review

    async with found.writers.one() as writer, found.engine.begin() as connection:
        return await connection.run_sync(write, writer)


def _after(connection: Connection, order_id: str, done: bool) -> Review:
    """Return the current review. Raises `errors.NotFound` and `errors.Conflict` if nothing was done."""
    row = reviews.one(connection, order_id)
    if row is None:
        raise NotFound(f"nobody asked for a review of order {order_id!r}", field="order_id")
    if not done and row.decision is not None:
        raise Conflict(f"{row.decided_by} decided it already: {row.decision}", field="order_id")
    if not done:
        raise Conflict(f"{row.taken_by} has taken it", field="reviewer", fix="take another one")
    return _shown(row)


def _shown(row: Row[Any]) -> Review:
    values = dict(row._mapping)
    values["order"] = values.pop("message")
    return msgspec.convert(values, Review)


def _decode(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason, _, path = str(error).partition(" - at `$")
        raise Invalid(reason, field=path.rstrip("`").lstrip(".") or "body") from error
