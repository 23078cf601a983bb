"""Gateways in the process of a test, with a key that may do everything."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar.testing import TestClient
from sqlalchemy import Engine

from api_gateway.app import create
from api_gateway.background.doorbell import Bell
from storage.keys.audit import Actor
from workers.keys import service
from workers.keys.wanted import Wanted
from workers.settings import Settings

KEY = "test-key"
"""The key that tests set and send, unless they set others."""
HEADERS = {"Authorization": f"Bearer {KEY}"}
TEST = Actor("test", via="command")


def client(settings: Settings, *, bell: Bell | None = None) -> TestClient[Any]:
    """Return a client that sends `KEY`, unless the settings name keys of their own. Bodies are sent as JSON."""
    key = KEY if settings.api_keys is None and not settings.open_on_loopback else None
    settings = msgspec.structs.replace(settings, api_keys=key or settings.api_keys)
    made = TestClient(create(settings, bell=bell), base_url="http://127.0.0.1", raise_server_exceptions=False)
    made.headers["Content-Type"] = "application/json"
    if key is not None:
        made.headers["Authorization"] = f"Bearer {key}"
    return made


def bearer(key: str) -> dict[str, str]:
    """Return the header that sends this key."""
    return {"Authorization": f"Bearer {key}"}


def make_key(database: Engine, name: str, *scopes: str, **given: Any) -> str:
    """Make a key in the database and return its text."""
    wanted = msgspec.convert({"name": name, "scopes": list(scopes), **given}, Wanted)
    with database.begin() as connection:
        return service.make(connection, wanted, TEST).text
