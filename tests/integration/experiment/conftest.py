"""Two registered versions, one of which serves, and shoppers who do things."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from storage.events import intake
from storage.experiment.experiments import Experiment
from storage.registry import models
from tests.support import shelves
from workers.experiment import assignment

LIVE, NEXT = "recommend-20260501T000000-00000a", "recommend-20260502T000000-00000b"


class Shop:
    """A shop's database, and what is written to it."""

    def __init__(self, database: Engine) -> None:
        self.database = database
        self.live, self.next = LIVE, NEXT
        self._events = 0
        with database.begin() as connection:
            for version in (LIVE, NEXT):
                models.register(connection, version, config={}, metrics={})
            models.switch(connection, LIVE)

    def happens(self, *events: tuple[str, str, datetime] | tuple[str, str, datetime, str | None]) -> None:
        """Write events: shopper, kind, time, and surface (`home` where none is given)."""
        rows = [self._row(*event) for event in events]
        with self.database.begin() as connection:
            intake.write_events(connection, rows, writer="test")

    def shelves(self, shoppers: Sequence[str], version: str = LIVE) -> None:
        """Write a shelf for each shopper."""
        through = datetime(2026, 5, 1, tzinfo=UTC)
        with self.database.begin() as connection:
            shelves.announce(connection, "a")
            for one in shoppers:
                shelves.write(connection, one, ["a"], version=version, through=through)

    def _row(self, shopper: str, kind: str, at: datetime, surface: str | None = "home") -> dict[str, Any]:
        self._events += 1
        row: dict[str, Any] = dict.fromkeys(("value", "session_id", "request_id", "query"))
        row |= {"event_id": f"e{self._events}", "shopper": shopper, "kind": kind, "at": at, "surface": surface}
        return row | {"item_id": "a", "quantity": 1.0, "context": {}}


@pytest.fixture
def shop(database: Engine) -> Shop:
    return Shop(database)


@pytest.fixture
def members() -> Callable[[Experiment, str, int], list[str]]:
    """Return a function that returns the first so many shoppers of an arm."""

    def find(experiment: Experiment, arm: str, count: int) -> list[str]:
        found: list[str] = []
        number = 0
        while len(found) < count:
            number += 1
            shopper = f"s{number}"
            if assignment.arm_of(experiment, shopper).name == arm:
                found.append(shopper)
        return found

    return find
