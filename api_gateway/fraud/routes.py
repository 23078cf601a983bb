"""Orders: screened within a deadline, and labelled when more is known about them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import PathParameter, RawBody
from sqlalchemy import Connection

from api_gateway import services
from api_gateway.fraud import service
from api_gateway.http import bodies, openapi, scoped
from api_gateway.http.batches import Taken
from api_gateway.http.errors import NotFound, Unavailable
from api_gateway.intake import doors
from api_gateway.lists import parameters
from api_gateway.lists.parameters import Asked
from storage.fraud import orders, reviews, screenings
from workers.fraud.rules import answers
from workers.fraud.rules.answers import Answer

OrderId = Annotated[str, PathParameter(description="The shop's id of the order; a slash in it is sent as %2F.")]


class Happened(msgspec.Struct, frozen=True):
    """Something that happened to an order after its decision."""

    at: datetime
    what: Annotated[str, msgspec.Meta(description="`label`, `judged late`, `review taken`, `review decided`.")]
    detail: dict[str, Any]


class Audit(msgspec.Struct, frozen=True):
    """The decision about an order with everything that it is based on, and what happened afterwards."""

    answer: Answer
    facts: Annotated[dict[str, Any], msgspec.Meta(description="The input of the rules.")]
    features: Annotated[list[float] | None, msgspec.Meta(description="The input of the model.")]
    review: Annotated[str | None, msgspec.Meta(description="`open`, the reviewer's decision, or null for none.")]
    history: list[Happened]


@post(
    "/v1/orders/screen",
    opt=scoped.ORDERS,
    status_code=200,
    operation_id="screenOrder",
    operation_class=openapi.OrderOperation,
    summary="Decide about an order",
    tags=["Orders"],
    responses=openapi.ORDER_ERRORS,
    name="screen",
)
async def screen(request: Asked, body: RawBody) -> Answer:
    """Approve, review or decline, within the deadline. Asked again, the same order gets the same decision."""
    found = services.from_request(request)
    if not found.settings.fraud:
        raise Unavailable("orders are not screened here", fix="set RESHELF_FRAUD=true")
    return await service.screen(found, await bodies.unpacked(request, body))


@get(
    "/v1/orders/{order_id:str}/screening",
    opt=scoped.ORDERS,
    operation_id="orderScreening",
    summary="The decision about an order, and why",
    tags=["Orders"],
    responses=openapi.FOUND_ERRORS,
    name="screening",
)
async def one(request: Asked, order_id: OrderId) -> Audit:
    """The audit trail: the decision, the inputs of rules and model, and later labels and reviews."""
    order_id = parameters.path_id(order_id, "order_id")
    async with services.from_request(request).engine.connect() as connection:
        return await connection.run_sync(_audit, order_id)


@post(
    "/v1/orders/labels",
    opt=scoped.ORDERS,
    status_code=202,
    operation_id="sendLabels",
    operation_class=openapi.LabelsOperation,
    summary="Label orders",
    tags=["Doors"],
    responses=openapi.DOOR_ERRORS,
    name="labels",
)
async def label(request: Asked, body: RawBody) -> Response[Taken]:
    """Write 1 to 1000 labels: chargebacks, confirmed frauds, cleared orders. 202 means that they are committed."""
    taken = await doors.take(services.from_request(request), doors.LABELS, await bodies.unpacked(request, body))
    return Response(taken, status_code=doors.status(taken))


def _audit(connection: Connection, order_id: str) -> Audit:
    row = screenings.whole(connection, order_id)
    if row is None:
        raise NotFound(f"no decision is recorded for order {order_id!r}", field="order_id")
    review = reviews.one(connection, order_id)
    message = orders.messages(connection, [order_id]).get(order_id, {})
    return Audit(
        answers.with_unread(answers.from_row(row), message),
        dict(row.facts),
        row.features,
        None if review is None else review.decision or "open",
        [Happened(line.at, line.what, line.detail) for line in screenings.history(connection, order_id)],
    )
