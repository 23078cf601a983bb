"""Every route with every key, host, origin and type of body: only what is allowed gets through.

The routes are those of the application itself, so a new one is tested as soon as it is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from litestar.testing import TestClient
from sqlalchemy import Engine, text

from api_gateway.app import create
from api_gateway.http import scoped
from tests.support import gateways
from workers.keys import scopes
from workers.settings import Settings

SHOP = "https://shop.example"
"""The origin whose pages may send events."""
REFUSALS = {401, 403, 415, 421, 429}
EVENT = {"event_id": "e", "kind": "view", "at": "2026-03-01T00:00:00Z", "user_id": "a", "item_id": "i"}
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Route(NamedTuple):
    """A route of the application, with an address that it matches, and the scope that it declares."""

    method: str
    path: str
    address: str
    scope: str | None


def _routes() -> Iterator[Route]:
    for route in create(Settings(database_url="postgresql://nobody@127.0.0.1:1/none")).routes:
        address = "".join(f"/{part}" if isinstance(part, str) else "/x" for part in route.path_components)
        for handler in getattr(route, "route_handlers", ()):
            for method in handler.http_methods:
                if method != "OPTIONS":
                    yield Route(str(method), route.path, address or "/", scoped.declared(handler.opt))


# The handlers of one path come in an order of their own in each process.
ROUTES = sorted(_routes(), key=lambda route: (route.path, route.method))
Ask = Callable[..., Any]


@pytest.fixture
def ask(serve: Callable[..., TestClient[Any]], database: Engine) -> Ask:
    """Return a function that sends a request with a key by its name: a scope, `expired`, `revoked` or None."""
    keys = {scope: gateways.make_key(database, scope, scope) for scope in scopes.ALL}
    keys |= {name: gateways.make_key(database, name, "admin") for name in ("expired", "revoked")}
    with database.begin() as connection:
        connection.execute(text("UPDATE api_keys SET expires_at = now() - interval '1 s' WHERE name = 'expired'"))
        connection.execute(text("UPDATE api_keys SET revoked_at = now() WHERE name = 'revoked'"))
    gateway = serve(api_keys="", allowed_origins=SHOP)

    def ask(route: Route, key: str | None, content: str | None = None, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["Authorization"] = f"Bearer {keys[key]}"
        body = content or ("{}" if route.method in WRITES else None)
        return gateway.request(route.method, route.address, content=body, headers=sent)

    return ask


def test_every_route_declares_a_scope_that_there_is() -> None:
    known = {*scopes.ALL, scoped.declared(scoped.OPEN)}
    assert [f"{route.method} {route.path}: {route.scope}" for route in ROUTES if route.scope not in known] == []


def test_what_needs_no_key_is_what_probes_and_readers_of_the_document_ask_for() -> None:
    is_open = {route.path for route in ROUTES if route.scope == scoped.declared(scoped.OPEN)}
    assert {path for path in is_open if not path.startswith("/schema")} == {"/v1/health", "/v1/ready"}


def test_the_document_says_which_scope_each_path_needs(serve: Callable[..., TestClient[Any]]) -> None:
    paths = serve().get("/schema/openapi.json").json()["paths"]
    for route in ROUTES:
        if route.path.startswith("/schema"):
            continue
        [operation] = [item[route.method.lower()] for path, item in paths.items() if _alike(path) == _alike(route.path)]
        if route.scope == scoped.declared(scoped.OPEN):
            assert operation["security"] == []
        else:
            assert operation["description"].endswith(f"Needs the scope `{route.scope}`.")


def _alike(path: str) -> str:
    """Return a path without the names and types of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_a_route_without_a_scope_would_need_the_highest() -> None:
    assert scoped.needed({}) == scopes.ADMIN


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_only_what_is_allowed_gets_through(ask: Ask, route: Route) -> None:
    is_open = route.scope == scoped.declared(scoped.OPEN)
    for key in (None, "expired", "revoked"):
        status = ask(route, key).status_code
        assert (status not in REFUSALS) if is_open else (status == 401), key
    for scope in scopes.ALL:
        status = ask(route, scope).status_code
        is_allowed = is_open or scope in (route.scope, scopes.ADMIN)
        assert (status not in REFUSALS) if is_allowed else (status == 403), scope
    for host in ("evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1"):
        assert ask(route, "admin", host=host).status_code == 421, host
    for origin in ("https://evil.example", "null", f"{SHOP}.evil.example", "http://shop.example"):
        answer = ask(route, "admin", origin=origin)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_origin"), origin
        assert "access-control-allow-origin" not in answer.headers
    assert ask(route, "admin", sec_fetch_site="cross-site", sec_fetch_mode="no-cors").status_code == 403
    assert ask(route, "admin", origin="http://127.0.0.1").status_code not in REFUSALS
    answer = ask(route, "admin", origin=SHOP)
    assert (answer.status_code not in REFUSALS) == (route.scope == scopes.EVENTS)
    assert answer.headers.get("access-control-allow-origin") == (SHOP if route.scope == scopes.EVENTS else None)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        status = ask(route, "admin", content_type=kind).status_code
        assert (status == 415) if route.method in WRITES else (status not in REFUSALS), kind


def test_a_page_asks_before_it_sends_and_is_let_only_to_events(serve: Callable[..., TestClient[Any]]) -> None:
    gateway = serve(allowed_origins=SHOP)
    asking = {
        "Origin": SHOP,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    answer = gateway.options("/v1/events", headers=asking)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, SHOP)
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    for path, origin in (("/v1/catalogue", SHOP), ("/v1/popular", SHOP), ("/v1/events", "https://evil.example")):
        refused = gateway.options(path, headers=asking | {"Origin": origin})
        assert (refused.status_code, refused.headers.get("access-control-allow-origin")) == (403, None)


def test_where_it_is_open_on_loopback_no_page_of_another_site_reads_or_writes(
    serve: Callable[..., TestClient[Any]], database: Engine
) -> None:
    gateway = serve(open_on_loopback=True)
    assert gateway.get("/v1/popular").status_code == 200
    page = {"Origin": "http://evil.example"}
    plain = {"Content-Type": "text/plain"}
    rebound = {"Host": "evil.example:8080", "Origin": "http://evil.example:8080"}
    for headers, status in ((page, 403), (plain, 415), (page | plain, 403), (rebound, 421)):
        assert gateway.post("/v1/events", json=[EVENT], headers=headers).status_code == status
    assert gateway.get("/v1/popular", headers={"Host": "evil.example:8080"}).status_code == 421
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM events")).scalar_one() == 0
    assert gateway.post("/v1/events", json=[EVENT]).status_code == 202


def test_hosts_of_the_setting_and_addresses_of_a_gateway_that_listens_on_all_are_answered(
    serve: Callable[..., TestClient[Any]],
) -> None:
    gateway = serve(gateway_host="0.0.0.0", allowed_hosts="gateway, shop.internal")
    for host in ("gateway:8080", "SHOP.internal", "10.1.2.3:8080", "[fd00::1]:8080", "localhost"):
        assert gateway.get("/v1/health", headers={"Host": host}).status_code == 200, host
    for host in ("evil.example", "10.1.2.3.evil.example", "shop.internal.evil.example"):
        assert gateway.get("/v1/health", headers={"Host": host}).status_code == 421, host
