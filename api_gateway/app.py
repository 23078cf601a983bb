"""The gateway: ranked rows out, events and catalogue changes in. It computes no ranking.

Started by `reshelf gateway`, or by any ASGI server from the factory `api_gateway.app:of_process`.
"""

from __future__ import annotations

import gc
import re
from time import perf_counter
from typing import Any
from urllib.parse import unquote

from litestar import Litestar, Router
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.types import Message, Scope

from api_gateway import documentation, doors, errors, keys, parameters, services
from api_gateway import metrics as measuring
from api_gateway.keys import Keys
from api_gateway.metrics import Metrics
from api_gateway.ringer import Bell
from api_gateway.routes import (
    actors,
    catalogue,
    events,
    experiments,
    items,
    operations,
    orders,
    popular,
    recommendations,
    reviews,
    search,
)
from workers import settings as configuration
from workers.settings import Settings

_ENCODED_SLASH = re.compile(rb"%2f", re.IGNORECASE)


class Gateway(Litestar):
    """The application; around its routes it measures every answer, and keeps slashes in ids."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        _keep_slashes(scope)
        start = perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await super().__call__(scope, receive, noting)
        finally:
            metrics: Metrics = self.state.metrics
            route = scope.get("path_template") or measuring.UNMATCHED
            metrics.answered(route, scope["method"], status, perf_counter() - start)


def create(settings: Settings | None = None, *, bell: Bell | None = None) -> Gateway:
    """Return the application, with `settings` (default: the process's own) and the doorbell (default: the broker's).

    Nothing is connected before it starts. Raises `SettingsError` where the settings let it not serve, or not safely.
    """
    settings = settings or configuration.load()
    services.check(settings)
    state = State({"api_keys": Keys(settings), "metrics": Metrics()})
    gateway = Gateway(
        route_handlers=[_guarded(state.api_keys), operations.health, operations.ready, operations.show],
        # One and no more: Litestar resolves several in a task group, which takes longer than all of the rest.
        dependencies={"paging": Provide(parameters.paging, sync_to_thread=False)},
        state=state,
        lifespan=[services.running(settings, state.metrics, bell)],
        exception_handlers={Exception: errors.answer},
        request_max_body_size=doors.MOST_BYTES,
        openapi_config=documentation.config(),
        cache_control=CacheControlHeader(no_store=True),
        logging_config=None,
    )
    documentation.add_messages(gateway.openapi_schema)
    return gateway


def of_process() -> Gateway:
    """Return the application for a process that does nothing else, as `reshelf gateway` runs it."""
    settings = configuration.load()
    gateway = create(settings, bell=services.doorbell(settings))
    # What stands now stays. Each full collection would walk it, for 75 ms in which nobody is answered.
    gc.collect()
    gc.freeze()
    return gateway


def _guarded(api_keys: Keys) -> Router:
    """Return the routes that need a key where keys are set."""
    return Router(
        path="/",
        guards=[keys.require] if api_keys.are_set else [],
        route_handlers=[
            recommendations.for_user,
            recommendations.for_session,
            items.similar,
            items.bought_together,
            popular.popular,
            popular.new,
            search.search,
            search.suggest,
            events.take,
            catalogue.take,
            experiments.every,
            experiments.one,
            orders.screen,
            orders.label,
            orders.one,
            reviews.waiting,
            reviews.take,
            reviews.decide,
            actors.every,
            actors.flag,
            actors.clear,
        ],
    )


def _keep_slashes(scope: Scope) -> None:
    """Route an encoded slash as part of its id; the server has decoded it in `path` already."""
    raw = scope.get("raw_path") or b""
    if _ENCODED_SLASH.search(raw):
        stand_in = f"%{ord(parameters.SLASH):02X}".encode()
        scope["path"] = unquote(_ENCODED_SLASH.sub(stand_in, raw.partition(b"?")[0]).decode("ascii"))
