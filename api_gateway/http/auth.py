"""API keys: who may use the gateway."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api_gateway.http.errors import Unauthorized
from workers import exposure
from workers.settings import Settings

_BEARER = "bearer "


class Keys:
    """The accepted keys. Without any, every request is accepted, which is only allowed on loopback."""

    def __init__(self, settings: Settings) -> None:
        self._digests = [_digest(key) for key in exposure.api_keys(settings)]
        self.on_loopback = exposure.is_loopback(settings.gateway_host)
        exposure.check_gateway(settings)

    @property
    def are_set(self) -> bool:
        """Whether a key is needed."""
        return bool(self._digests)

    def accepts(self, connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
        """Return whether the request carries an accepted key, in a time that reveals nothing about the keys."""
        if not self.are_set:
            return True
        authorization = connection.headers.get("authorization", "")
        bearer = authorization[len(_BEARER) :] if authorization.lower().startswith(_BEARER) else ""
        given = _digest(bearer.strip() or connection.headers.get("x-api-key", ""))
        # Every key is compared, so that the time is the same whichever of them matches.
        return sum([hmac.compare_digest(given, digest) for digest in self._digests]) > 0


async def require(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard of the reads and the doors. Raises `Unauthorized`."""
    if not connection.app.state.api_keys.accepts(connection):
        raise Unauthorized


async def require_beyond_loopback(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of the metrics, which a local Prometheus may read without a key. Raises `Unauthorized`."""
    if not connection.app.state.api_keys.on_loopback:
        await require(connection, handler)


def _digest(key: str) -> bytes:
    return sha256(key.encode()).digest()
