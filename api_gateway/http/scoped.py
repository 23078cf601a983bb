"""The scope of a route, declared where the route is: `@get("/v1/popular", opt=scoped.READ, …)`.

A route without one needs the scope `admin`, and a test fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.keys import scopes

_NAME = "scope"
_OPEN = "open"

OPEN: Mapping[str, Any] = {_NAME: _OPEN}
"""Needs no key: it shows nothing of the shop, and is asked for by probes that have none."""
EVENTS: Mapping[str, Any] = {_NAME: scopes.EVENTS}
READ: Mapping[str, Any] = {_NAME: scopes.READ}
CATALOGUE: Mapping[str, Any] = {_NAME: scopes.CATALOGUE}
ORDERS: Mapping[str, Any] = {_NAME: scopes.ORDERS}
REVIEW: Mapping[str, Any] = {_NAME: scopes.REVIEW}
ADMIN: Mapping[str, Any] = {_NAME: scopes.ADMIN}


def declared(opt: Mapping[str, Any]) -> str | None:
    """Return the scope of a handler with these options, None if it declares none."""
    return opt.get(_NAME)


def needed(opt: Mapping[str, Any]) -> str | None:
    """Return the scope that a key needs for a handler with these options, None if it needs no key."""
    scope: str = opt.get(_NAME, scopes.ADMIN)
    return None if scope == _OPEN else scope
