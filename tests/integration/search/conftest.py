"""A small shop that is searched, and gateways in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support import gateways
from tests.support.searching import ITEMS, Bell, Client, Shop
from workers.settings import Settings


@pytest.fixture(name="shop")
def _shop(database: Engine, tmp_path: Path) -> Shop:
    shop = Shop(database, tmp_path)
    for item in ITEMS:
        shop.change("upsert", **item)
    return shop


@pytest.fixture(name="bell")
def _bell(shop: Shop) -> Bell:
    shop.serving.follow()
    return Bell(shop)


@pytest.fixture(name="serve")
def _serve(database_url: str, bell: Bell) -> Iterator[Callable[..., Client]]:
    with ExitStack() as stack:

        def start(**settings: Any) -> Client:
            chosen = Settings(**({"database_url": database_url, "search_deadline_ms": 5_000} | settings))
            return stack.enter_context(gateways.client(chosen, bell=bell))

        yield start


@pytest.fixture(name="gateway")
def _gateway(serve: Callable[..., Client]) -> Client:
    return serve()


@pytest.fixture(name="alone")
def _alone(serve: Callable[..., Client], bell: Bell) -> Client:
    """A gateway whose worker does not answer, and that does not wait for long."""
    bell.is_heard = False
    return serve(search_deadline_ms=50)
