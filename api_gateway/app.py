"""The gateway: serves rankings, and accepts events, catalogue changes and orders. It computes no ranking.

Started by `reshelf gateway`, or by any ASGI server from the factory `api_gateway.app:from_environment`.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
import re
from collections.abc import Iterator
from time import perf_counter
from typing import Any
from urllib.parse import unquote

from litestar import Litestar
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.types import Message, Scope

import api_gateway
from api_gateway import services
from api_gateway.background.doorbell import Bell
from api_gateway.http import auth, budget, errors, openapi
from api_gateway.http import metrics as measuring
from api_gateway.http.auth import Admission
from api_gateway.http.metrics import Metrics
from api_gateway.intake import doors
from api_gateway.keys import handlers as keys_handlers
from api_gateway.lists import parameters
from api_gateway.operations import routes as operations_routes
from workers import capabilities
from workers import settings as configuration
from workers.settings import Settings

_ENCODED_SLASH = re.compile(rb"%2f", re.IGNORECASE)


class Gateway(Litestar):
    """The application; around its routes it measures every answer, and keeps slashes in ids."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
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
                if (origin := scope.get(auth.CROSS_ORIGIN)) is not None:
                    message["headers"] = [*message["headers"], *auth.cross_origin_headers(origin)]
            await send(message)

        try:
            await self._answer(scope, receive, noting)
        finally:
            metrics: Metrics = self.state.metrics
            route = scope.get("path_template") or measuring.UNMATCHED
            metrics.answered(route, scope["method"], status, perf_counter() - start)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as soon as the body, if it is a large one, may be read."""
        size = budget.weight(scope)
        if not size:
            await super().__call__(scope, receive, send)
            return
        try:
            async with self.state.budget.held(size):
                await super().__call__(scope, receive, send)
        except errors.Unavailable as error:
            await errors.send(error, send)


def create(settings: Settings | None = None, *, bell: Bell | None = None) -> Gateway:
    """Return the application, with `settings` (default: the process's own) and the doorbell (default: the broker's).

    Nothing is connected before it starts. Raises `SettingsError` if the settings do not allow it to serve, or not
    safely.
    """
    settings = settings or configuration.load()
    services.check(settings)
    admission = Admission(settings)
    state = State({"admission": admission, "metrics": Metrics(), "budget": budget.turns()})
    gateway = Gateway(
        route_handlers=[
            *_handlers(),
            *keys_handlers.HANDLERS,
            operations_routes.health,
            operations_routes.ready,
            operations_routes.show,
        ],
        guards=[auth.check],
        # Only one: Litestar resolves several in a task group, which takes longer than all the rest.
        dependencies={"paging": Provide(parameters.paging, sync_to_thread=False)},
        state=state,
        lifespan=[services.running(settings, state.metrics, admission.keys, bell)],
        exception_handlers={Exception: errors.answer},
        request_max_body_size=doors.MOST_BYTES,
        openapi_config=openapi.config(),
        cache_control=CacheControlHeader(no_store=True),
        logging_config=None,
    )
    admission.shared_paths = auth.shared_paths(gateway.routes)
    openapi.add_messages(gateway.openapi_schema)
    openapi.add_scopes(gateway.openapi_schema, gateway.routes)
    return gateway


def from_environment() -> Gateway:
    """Return the application for a process of its own, as `reshelf gateway` runs it."""
    settings = configuration.load()
    gateway = create(settings, bell=services.doorbell(settings))
    # These objects stay for good. Each full collection would scan them, and block all requests for 75 ms.
    gc.collect()
    gc.freeze()
    return gateway


def _handlers() -> Iterator[Any]:
    """Yield the handlers of every capability."""
    folders = {module.name for module in pkgutil.iter_modules(api_gateway.__path__) if module.ispkg}
    for capability in capabilities.ALL:
        if capability.name in folders:
            yield from importlib.import_module(f"api_gateway.{capability.name}.handlers").HANDLERS


def _keep_slashes(scope: Scope) -> None:
    """Route an encoded slash as part of its id; the server has already decoded it in `path`."""
    raw = scope.get("raw_path") or b""
    if _ENCODED_SLASH.search(raw):
        stand_in = f"%{ord(parameters.SLASH):02X}".encode()
        scope["path"] = unquote(_ENCODED_SLASH.sub(stand_in, raw.partition(b"?")[0]).decode("ascii"))
