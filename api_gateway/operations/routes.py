"""Endpoints for operators: health, readiness, metrics."""

from __future__ import annotations

import msgspec
from litestar import Response, get

from api_gateway import services
from api_gateway.http import metrics, scoped
from api_gateway.lists.parameters import Asked
from api_gateway.operations import readiness
from api_gateway.operations.readiness import Readiness


class Health(msgspec.Struct, frozen=True):
    """The process is up."""

    status: str = "ok"


@get(
    "/v1/health",
    opt=scoped.OPEN,
    operation_id="health",
    summary="The process is up",
    tags=["Operations"],
    name="health",
)
async def health() -> Health:
    """Answer without checking anything else."""
    return Health()


@get(
    "/v1/ready",
    opt=scoped.OPEN,
    operation_id="ready",
    summary="The gateway can serve",
    tags=["Operations"],
    name="ready",
)
async def ready(request: Asked) -> Response[Readiness]:
    """200 while the database answers and is migrated and shelves follow, else 503.

    Shelves do not follow where shoppers wait and none is written at all: where ranking stands still, not under load.
    """
    state = await readiness.check(services.from_request(request))
    return Response(state, status_code=200 if state.ready else 503)


@get(
    "/metrics",
    opt=scoped.READ,
    operation_id="metrics",
    summary="Metrics for Prometheus",
    tags=["Operations"],
    name="metrics",
    media_type=metrics.MEDIA_TYPE,
)
async def show(request: Asked) -> bytes:
    """Requests, latencies, sources and rows."""
    return services.from_request(request).metrics.render()
