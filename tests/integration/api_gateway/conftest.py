"""A small shop in a real database, and the gateway in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from reshelf import parsing
from storage import engine
from storage.embedded.servers import Servers
from storage.events import intake
from storage.tables import metadata
from tests.support import gateways, shelves
from workers import rows
from workers.settings import Settings

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Shop:
    """Writes what a test's shop has, the way the workers do."""

    def __init__(self, database: Engine) -> None:
        self.database = database
        self._changes = 0

    def change(self, kind: str, item_id: str, **fields: Any) -> None:
        """Commit one catalogue change; each is newer than the one before."""
        self._changes += 1
        at = START + timedelta(minutes=self._changes)
        message = {"kind": kind, "change_id": f"c{self._changes}", "item_id": item_id, "at": at.isoformat(), **fields}
        parsed = parsing.parse_changes([message])
        assert not parsed.bad
        with self.database.begin() as connection:
            intake.write_changes(connection, [rows.change_row(parsed.good[0])], writer="test")

    def stock(self, count: int, *, category: str | None = "shoes") -> list[str]:
        """Announce items i001, i002, … and return their ids, the oldest first."""
        item_ids = [f"i{number:03}" for number in range(1, count + 1)]
        messages = [
            {
                "kind": "upsert",
                "change_id": f"stock-{item_id}",
                "item_id": item_id,
                "at": (START + timedelta(seconds=number)).isoformat(),
                "title": f"Item {item_id}",
                "category": category,
                "price": 10.0 + number,
                "currency": "EUR",
                "brand": "acme",
                "image_url": f"https://shop.example/{item_id}.png",
            }
            for number, item_id in enumerate(item_ids)
        ]
        with self.database.begin() as connection:
            changes = [rows.change_row(change) for change in parsing.parse_changes(messages).good]
            intake.write_changes(connection, changes, writer="test")
        return item_ids

    def event(self, kind: str, item_id: str, *, user_id: str, **fields: Any) -> None:
        """Commit one event."""
        self._changes += 1
        at = START + timedelta(minutes=self._changes)
        message = {"kind": kind, "event_id": f"e{self._changes}", "item_id": item_id, "user_id": user_id, **fields}
        parsed = parsing.parse_events([message | {"at": at.isoformat()}])
        assert not parsed.bad
        with self.database.begin() as connection:
            intake.write_events(connection, [rows.event_row(parsed.good[0])], writer="test")

    def rank(
        self,
        surface: str,
        owner: str,
        item_ids: Sequence[str],
        *,
        version: str = "m1",
        because: Sequence[tuple[str, str] | None] = (),
    ) -> None:
        """Commit a ranking, best first, with scores 1, 1/2, 1/3, …, and reasons (item, kind) of the first items."""
        with self.database.begin() as connection:
            shelves.write(connection, owner, item_ids, surface=surface, version=version, through=START, because=because)


class RecordingBell:
    """A bell that remembers for what it was rung."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, ...]] = []

    def ring(self, *kinds: str) -> bool:
        """Remember."""
        self.rung.append(kinds)
        return True


@pytest.fixture(scope="session")
def _database_url(embedded: Servers, _template: str) -> str:
    """One migrated database for all tests here: to make one takes longer than most of them."""
    url = engine.url_for(embedded.database, "psycopg")
    administrator = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with administrator.connect() as connection:
        connection.execute(text(f"CREATE DATABASE gateway TEMPLATE {_template}"))
    return url.set(drivername="postgresql", database="gateway").render_as_string(hide_password=False)


@pytest.fixture
def database_url(_database_url: str) -> Iterator[str]:
    """The database, emptied after each test."""
    yield _database_url
    emptied = engine.connect(_database_url)
    with emptied.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # the audit trail only grows
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    emptied.dispose()


@pytest.fixture
def shop(database: Engine) -> Shop:
    return Shop(database)


@pytest.fixture
def bell() -> RecordingBell:
    return RecordingBell()


@pytest.fixture
def serve(database_url: str, bell: RecordingBell, tmp_path: Path) -> Iterator[Callable[..., TestClient[Any]]]:
    """Return a function that starts a gateway on the test's database with the settings given."""
    with ExitStack() as stack:

        def start(**settings: Any) -> TestClient[Any]:
            chosen = Settings(**({"database_url": database_url, "home": tmp_path} | settings))
            return stack.enter_context(gateways.client(chosen, bell=bell))

        yield start


@pytest.fixture
def gateway(serve: Callable[..., TestClient[Any]]) -> TestClient[Any]:
    """A gateway with the default settings."""
    return serve()


@pytest.fixture
def ids() -> Callable[[dict[str, Any]], list[str]]:
    """Return a function that returns the item ids of an answer."""
    return lambda answer: [item["item_id"] for item in answer["items"]]
