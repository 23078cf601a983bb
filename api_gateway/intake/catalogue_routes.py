"""The door for catalogue changes."""

from __future__ import annotations

from litestar import Response, post
from litestar.params import RawBody

from api_gateway import services
from api_gateway.http import bodies, openapi, scoped
from api_gateway.http.batches import Taken
from api_gateway.intake import doors
from api_gateway.lists.parameters import Asked


@post(
    "/v1/catalogue",
    opt=scoped.CATALOGUE,
    status_code=202,
    operation_id="sendCatalogueChanges",
    operation_class=openapi.CatalogueOperation,
    summary="Send catalogue changes",
    tags=["Doors"],
    responses=openapi.DOOR_ERRORS,
    name="catalogue",
)
async def take(request: Asked, body: RawBody) -> Response[Taken]:
    """Write 1 to 1000 changes. 202 means that the good rows are committed; 422 that no row could be taken."""
    taken = await doors.take(services.from_request(request), doors.CATALOGUE, await bodies.unpacked(request, body))
    return Response(taken, status_code=doors.status(taken))
