"""Reasons: a shelf that stands for a while is explained, as it would have been when it was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Engine, text

from storage import due
from storage.due import Claim
from storage.events import intake
from storage.registry import models
from tests.support import shelves
from tests.support import shop as shops
from tests.support import stack as stacks
from tests.support.serving import Fixed, Serving
from tests.support.shelves import Because
from workers.recommend import reasons, refresh
from workers.recommend import serving as recommend
from workers.runtime import claims
from workers.settings import Settings

AT = datetime(2026, 5, 20, tzinfo=UTC)
VERSION, NEXT = "recommend-20260520T000000-000001", "recommend-20260521T000000-000002"
SETTINGS = Settings(explained=3)


class Shop:
    """A database in which ann viewed x and then bought y, and has a shelf that is to be explained."""

    def __init__(self, database: Engine) -> None:
        self.database = database
        self.serving = Serving(database, VERSION, Fixed("a", "b", "c"))
        with database.begin() as connection:
            shelves.announce(connection, *"abcdxy")
            models.register(connection, VERSION, config={}, metrics={})
            models.switch(connection, VERSION)
        self.happens("view", "x", minutes=0)
        self.happens("purchase", "y", minutes=1)
        self.refresh()

    def happens(self, kind: str, item_id: str, *, minutes: int) -> None:
        row: dict[str, Any] = dict.fromkeys(("value", "session_id", "surface", "request_id", "query"))
        row |= {"shopper": "ann", "quantity": 1.0, "context": {}, "event_id": f"{kind}-{item_id}-{minutes}"}
        event = row | {"kind": kind, "item_id": item_id, "at": AT + timedelta(minutes=minutes)}
        with self.database.begin() as connection:
            intake.write_events(connection, [event], writer="test")

    def refresh(self, *, explain: bool = False) -> None:
        with self.database.begin() as connection:
            taken = due.claim(connection, due.SHOPPER, limit=10, lease=30)
        refresh.shoppers(self.database, cast(Any, self.serving), SETTINGS, taken, explain=explain)

    def rest(self) -> None:
        """Let the shopper pause."""
        with self.database.begin() as connection:
            connection.execute(
                text("UPDATE rankings SET generated_at = generated_at - :pause * interval '1 second'"),
                {"pause": reasons.PAUSE_SECONDS + 1},
            )

    def explain(self, taken: list[Claim] | None = None) -> list[Because | None] | None:
        """Work on what is to be explained, and return ann's reasons."""
        reasons.explain(self.database, cast(Any, self.serving), SETTINGS, self.claim() if taken is None else taken)
        return self.because()

    def claim(self) -> list[Claim]:
        with self.database.begin() as connection:
            return due.claim(connection, due.REASON, limit=10, lease=30)

    def because(self) -> list[Because | None] | None:
        with self.database.connect() as connection:
            shelf = shelves.read(connection, "ann")
        assert shelf is not None
        return shelf.because

    def waits(self) -> bool:
        """Return whether ann's shelf is still to be explained, and may be claimed."""
        with self.database.connect() as connection:  # rolled back
            return [claim.key for claim in due.claim(connection, due.REASON, limit=10, lease=30)] == ["ann"]


@pytest.fixture
def shop(database: Engine) -> Shop:
    return Shop(database)


def test_a_shelf_that_stands_is_explained(shop: Shop) -> None:
    assert (shop.because(), shop.waits()) == (None, True)
    shop.rest()
    assert shop.explain() == [("y", "purchase"), None, ("x", "view")]
    assert not shop.waits()


def test_a_shelf_that_was_just_written_is_left_for_the_next_time(shop: Shop) -> None:
    encoded = shop.serving.ranker.encodings
    assert shop.explain() is None
    assert shop.waits()
    assert shop.serving.ranker.encodings == encoded
    shop.rest()
    assert shop.explain() == [("y", "purchase"), None, ("x", "view")]


def test_a_shelf_that_an_event_has_overtaken_is_left_to_the_next_one(shop: Shop) -> None:
    shop.rest()
    shop.happens("click", "d", minutes=2)
    assert shop.explain() is None
    assert not shop.waits()
    shop.refresh()
    assert shop.waits()
    shop.rest()
    assert shop.explain() == [("d", "click"), None, ("x", "view")]


def test_a_shelf_that_is_explained_already_is_not_explained_again(shop: Shop) -> None:
    with shop.database.begin() as connection:
        due.mark_later(connection, due.SHOPPER, ["ann"])
    shop.refresh(explain=True)
    shop.rest()
    encoded = shop.serving.ranker.encodings
    assert shop.because() == [("y", "purchase"), None, ("x", "view")]
    assert shop.explain() == [("y", "purchase"), None, ("x", "view")]
    assert not shop.waits()
    assert shop.serving.ranker.encodings == encoded


def test_a_shopper_without_a_shelf_is_forgotten(shop: Shop) -> None:
    with shop.database.begin() as connection:
        connection.execute(text("DELETE FROM rankings"))
    reasons.explain(shop.database, cast(Any, shop.serving), SETTINGS, shop.claim())
    assert not shop.waits()


def test_a_shelf_that_is_written_while_it_is_explained_gets_no_reasons_of_the_one_before(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rest()
    found = shop.serving.ranker.explain

    def slow(*arguments: Any) -> Any:
        shop.happens("click", "d", minutes=2)
        shop.refresh()
        return found(*arguments)

    monkeypatch.setattr(shop.serving.ranker, "explain", slow)
    assert shop.explain() is None


def test_a_shelf_of_a_version_that_is_being_loaded_is_explained_when_that_is_there(shop: Shop) -> None:
    """The process that ranks may be done with loading before the one that explains."""
    with shop.database.begin() as connection:
        models.register(connection, NEXT, config={}, metrics={})
        models.switch(connection, NEXT)
        connection.execute(text("UPDATE rankings SET model_version = :version"), {"version": NEXT})
    shop.rest()
    assert shop.explain() is None
    shop.serving.version = NEXT  # it is there now
    with shop.database.begin() as connection:
        connection.execute(text("UPDATE due SET since = now() - interval '1 hour', claimed_until = NULL"))
    assert shop.waits()
    assert shop.explain() == [("y", "purchase"), None, ("x", "view")]


def test_reasons_that_come_later_are_those_that_would_have_come_with_the_shelf(
    database: Engine, database_url: str, broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = stacks.settings_for(tmp_path, database_url, broker_url)
    shops.train(database, settings)
    serving = recommend.Serving(database, settings.home)
    assert serving.follow()
    monkeypatch.setattr(reasons, "PAUSE_SECONDS", 0.0)

    def refreshed(*, explain: bool) -> dict[str, shelves.Shelf]:
        with database.begin() as connection:
            due.mark(connection, due.SHOPPER, [f"past-{n}" for n in range(40)])
        for kind, work in (
            (due.SHOPPER, lambda taken: refresh.shoppers(database, serving, settings, taken, explain=explain)),
            (due.REASON, lambda taken: reasons.explain(database, serving, settings, taken)),
        ):
            while not claims.drain(database, kind, work, settings):
                pass
        assert serving.follow()  # with what was counted
        with database.connect() as connection:
            return shelves.every(connection)

    refreshed(explain=False)  # counts
    at_once, later = refreshed(explain=True), refreshed(explain=False)
    assert len(later) == 40
    assert later == at_once
    because = [reason for shelf in later.values() for reason in shelf.because or ()]
    assert len(because) == 40 * min(settings.explained, settings.ranking_depth)
    assert sum(reason is not None for reason in because) > len(because) / 2
