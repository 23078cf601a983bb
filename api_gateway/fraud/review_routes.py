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
from api_gateway.http import auth, bodies, openapi, scoped
from api_gateway.http.errors import Conflict, NotFound
from api_gateway.lists import parameters
from api_gateway.lists.parameters import Asked
from reshelf.fields import Name
from storage.events import intake
from storage.fraud import reviews
from storage.keys import audit
from workers.fraud.rules.rules import Reason

Reviewer = Annotated[
    str | None,
    QueryParameter(name="reviewer", required=False, description="Only reviews that the key of this name has taken."),
]
# The one character that a text in PostgreSQL cannot hold.
Note = Annotated[str, msgspec.Meta(max_length=2000, pattern=r"^[^\x00]*$")]
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
    """A review is taken by the key of the request; `reviewer` is only noted in the audit trail."""

    reviewer: Name | None = None


class Deciding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decision; `fraud` also labels the order, true as confirmed fraud, false as cleared."""

    reviewer: Name | None = None
    decision: Literal["approve", "decline"]
    note: Note | None = None
    fraud: bool | None = None


@get(
    "/v1/reviews",
    opt=scoped.REVIEW,
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
    opt=scoped.REVIEW,
    status_code=200,
    operation_id="takeReview",
    operation_class=openapi.TakingOperation,
    summary="Take a review",
    tags=["Orders"],
    responses=openapi.REVIEW_ERRORS,
    name="take_review",
)
async def take(request: Asked, order_id: OrderId, body: RawBody) -> Review:
    """No other key can take or decide it then. Taking it again changes nothing."""
    given = bodies.decoded(await bodies.unpacked(request, body), Taking)
    key = parameters.path_id(order_id, "order_id")
    by = auth.caller(request).actor

    def write(connection: Connection) -> Review:
        done = reviews.take(connection, key, by.name)
        review = _after(connection, key, done)
        audit.record(connection, by, "review taken", key, {"reviewer": given.reviewer})
        return review

    async with services.from_request(request).engine.begin() as connection:
        return await connection.run_sync(write)


@post(
    "/v1/reviews/{order_id:str}/decide",
    opt=scoped.REVIEW,
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
    given = bodies.decoded(await bodies.unpacked(request, body), Deciding)
    key = parameters.path_id(order_id, "order_id")
    found, by = services.from_request(request), auth.caller(request).actor

    def write(connection: Connection, writer: str) -> Review:
        done = reviews.decide(connection, key, by.name, given.decision, given.note)
        review = _after(connection, key, done)
        said = {"reviewer": given.reviewer, "decision": given.decision, "fraud": given.fraud}
        audit.record(connection, by, "review decided", key, said)
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
        raise Conflict(f"the key {row.decided_by!r} decided it already: {row.decision}", field="order_id")
    if not done:
        raise Conflict(f"the key {row.taken_by!r} has taken it", field="order_id", fix="take another one")
    return _shown(row)


def _shown(row: Row[Any]) -> Review:
    values = dict(row._mapping)
    values["order"] = values.pop("message")
    return msgspec.convert(values, Review)
