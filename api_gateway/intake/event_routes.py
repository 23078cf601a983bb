"""The door for behaviour events."""

from __future__ import annotations

from litestar import Response, post
from litestar.params import RawBody

from api_gateway import services
from api_gateway.http import bodies, openapi, scoped
from api_gateway.http.batches import Taken
from api_gateway.intake import doors
from api_gateway.lists.parameters import Asked


@post(
    "/v1/events",
    opt=scoped.EVENTS,
    status_code=202,
    operation_id="sendEvents",
    operation_class=openapi.EventsOperation,
    summary="Send events",
    tags=["Doors"],
    responses=openapi.DOOR_ERRORS,
    name="events",
)
async def take(request: Asked, body: RawBody) -> Response[Taken]:
    """Write 1 to 1000 events. 202 means that the good rows are committed; 422 that no row could be taken."""
    taken = await doors.take(services.from_request(request), doors.EVENTS, await bodies.unpacked(request, body))
    return Response(taken, status_code=doors.status(taken))
