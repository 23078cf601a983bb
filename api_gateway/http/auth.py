"""Who may do what: every request is checked for its host, its origin, its type of body, its key and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api_gateway.http import hosts, scoped
from api_gateway.http.errors import (
    Forbidden,
    ForeignOrigin,
    Misdirected,
    NotJson,
    TooMany,
    Unauthorized,
    Unavailable,
)
from api_gateway.http.hosts import Hosts
from api_gateway.keys import key_table, limits
from api_gateway.keys.key_table import Key, KeyTable
from workers import exposure
from workers.keys import scopes
from workers.settings import Settings

Asking = ASGIConnection[Any, Any, Any, Any]
Headers = Mapping[bytes, bytes]

CROSS_ORIGIN = "reshelf_cross_origin"
"""Where the scope of a request holds its `Origin`, if a page of that origin may read the answer."""

_BEARER = b"bearer "
_LONGEST_KEY = 512
_CALLER = "auth"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_JSON = "application/json"


class Admission:
    """The check of every request. It needs no database: the keys are in memory."""

    def __init__(self, settings: Settings) -> None:
        exposure.check_gateway(settings)
        self.keys = KeyTable(settings)
        self._is_open = settings.open_on_loopback
        self._hosts = Hosts(settings)
        self._origins = frozenset(one.lower().encode() for one in hosts.listed(settings.allowed_origins))
        self.shared_paths: frozenset[str] = frozenset()
        """Paths to which a page of an allowed origin may send: those of the scope `events`."""

    def check(self, connection: Asking, handler: BaseRouteHandler) -> None:
        """Let the request through and keep its caller, or raise the error that refuses it."""
        headers: Headers = dict(connection.scope["headers"])
        host = headers.get(b"host", b"")
        if not self._hosts.allows(host):
            raise Misdirected(host.decode("latin-1"))
        self._check_origin(connection, headers, host)
        method: str = connection.scope["method"]  # type: ignore[typeddict-item]  # only HTTP is routed
        if method == "OPTIONS":
            return
        scope = scoped.needed(handler.opt)
        if scope is not None:
            connection.scope[_CALLER] = self._caller(headers, scope)  # type: ignore[literal-required]
        if method in _WITH_BODY:
            _check_type(headers)

    def _check_origin(self, connection: Asking, headers: Headers, host: bytes) -> None:
        origin = headers.get(b"origin")
        if origin is None:
            # An image or a script of another page: a browser that is new enough says so.
            site = headers.get(b"sec-fetch-site")
            if site in (b"cross-site", b"same-site") and headers.get(b"sec-fetch-mode") != b"navigate":
                raise ForeignOrigin("another page")
            return
        if hosts.is_same(origin, host):
            return
        path = connection.scope.get("path_template")
        if origin.lower() not in self._origins or path not in self.shared_paths:
            raise ForeignOrigin(origin.decode("latin-1"))
        connection.scope[CROSS_ORIGIN] = origin  # type: ignore[literal-required]

    def _caller(self, headers: Headers, scope: str) -> Key:
        text = _key_of(headers)
        if not text and self._is_open:
            return key_table.NOBODY
        key = self.keys.find(text) if 0 < len(text) <= _LONGEST_KEY else None
        if key is None:
            if text and not self.keys.is_known:
                raise Unavailable("the keys could not be read from the database yet")
            raise Unauthorized
        if not key.may(scope):
            raise Forbidden(scope)
        if key.limits is not None and (seconds := key.limits.wait(limits.clock())) > 0:
            raise TooMany(limits.retry_after(seconds))
        return key


async def check(connection: Asking, handler: BaseRouteHandler) -> None:
    """Guard of all routes."""
    connection.app.state.admission.check(connection, handler)


def caller(connection: Asking) -> Key:
    """Return the key of a request to a route that needs one."""
    found: Key = connection.scope[_CALLER]  # type: ignore[literal-required]
    return found


def shared_paths(routes: Any) -> frozenset[str]:
    """Return the paths that have a handler of the scope `events`."""
    handlers = ((route.path, handler) for route in routes for handler in getattr(route, "route_handlers", ()))
    return frozenset(path for path, handler in handlers if scoped.declared(handler.opt) == scopes.EVENTS)


def cross_origin_headers(origin: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers by which a browser lets a page of this origin send events and read the answer."""
    return [
        (b"access-control-allow-origin", origin),
        (b"vary", b"Origin"),
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-allow-headers", b"authorization, content-type, content-encoding, x-api-key"),
        (b"access-control-expose-headers", b"Retry-After"),
        (b"access-control-max-age", b"600"),
    ]


def _key_of(headers: Headers) -> str:
    authorization = headers.get(b"authorization", b"")
    given = authorization[len(_BEARER) :] if authorization[: len(_BEARER)].lower() == _BEARER else b""
    return (given.strip() or headers.get(b"x-api-key", b"")).decode("latin-1")


def _check_type(headers: Headers) -> None:
    """Raise `NotJson` for a body that does not say it is JSON: what a form of a foreign page sends never does."""
    given = headers.get(b"content-type")
    if given is None:
        if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
            raise NotJson("none")
        return
    if given == b"application/json":
        return
    kind = given.decode("latin-1").partition(";")[0].strip().lower()
    if kind != _JSON and not kind.endswith("+json"):
        raise NotJson(kind)
