"""Refreshing: what the ranker answers is what the tables hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from sqlalchemy import Engine, text

from storage import due
from storage.due import Claim
from storage.events import intake
from storage.registry import models
from tests.support import shelves
from tests.support.serving import Fixed, Serving
from tests.support.shelves import Because, Shelf
from workers.recommend import refresh
from workers.settings import Settings

AT = datetime(2026, 5, 20, tzinfo=UTC)
VERSION = "recommend-20260520T000000-000001"


@pytest.fixture
def serving(database: Engine) -> Serving:
    return Serving(database, VERSION, Fixed("a", "b", "c"))


def marked(database: Engine, kind: str) -> list[str]:
    with database.connect() as connection:
        return list(
            connection.execute(text("SELECT key FROM due WHERE kind = :kind ORDER BY 1"), {"kind": kind}).scalars()
        )


def claimed(database: Engine) -> list[Claim]:
    with database.begin() as connection:
        return due.claim(connection, due.SHOPPER, limit=10, lease=30)


def refreshed(database: Engine, serving: Serving, settings: Settings, *, explain: bool = False) -> dict[str, Shelf]:
    """Return the shelf of each due shopper, once refreshed."""
    refresh.shoppers(database, cast(Any, serving), settings, claimed(database), explain=explain)
    assert marked(database, due.SHOPPER) == []
    with database.connect() as connection:
        return shelves.every(connection)


@pytest.fixture
def browsed(database: Engine) -> Engine:
    """A database in which ann viewed x and then bought y, and nobody has no event."""
    row: dict[str, Any] = dict.fromkeys(("value", "session_id", "surface", "request_id", "query"))
    row |= {"shopper": "ann", "quantity": 1.0, "context": {}}
    events = [
        row | {"event_id": "e2", "kind": "purchase", "item_id": "y", "at": AT},
        row | {"event_id": "e1", "kind": "view", "item_id": "x", "at": AT.replace(hour=0, day=19)},
    ]
    with database.begin() as connection:
        shelves.announce(connection, *"abcxy")
        models.register(connection, VERSION, config={}, metrics={})
        models.switch(connection, VERSION)
        intake.write_events(connection, events, writer="test")
        due.mark(connection, due.SHOPPER, ["nobody"])
        connection.execute(text("DELETE FROM due WHERE kind <> 'shopper'"))
    return database


@pytest.mark.parametrize(
    ("explained", "because"),
    [
        (20, [("y", "purchase"), None, ("x", "view")]),
        (2, [("y", "purchase"), None]),
        (0, None),
    ],
)
def test_reasons_are_written_with_the_shelf_where_nobody_waits(
    browsed: Engine, serving: Serving, explained: int, because: list[Because | None] | None
) -> None:
    # As the process does that ranks what can wait.
    found = refreshed(browsed, serving, Settings(explained=explained), explain=explained > 0)
    assert found["ann"] == Shelf(["a", "b", "c"], [3.0, 2.0, 1.0], VERSION, AT, because)
    assert marked(browsed, due.REASON) == []


def test_an_empty_history_explains_nothing(browsed: Engine, serving: Serving) -> None:
    found = refreshed(browsed, serving, Settings(explained=1), explain=True)["nobody"]
    assert (found.item_ids, found.because, found.through) == (["a", "b", "c"], [None], None)


@pytest.mark.parametrize("explained", [20, 0])
def test_a_shelf_that_somebody_waits_for_is_written_at_once_and_explained_later(
    browsed: Engine, serving: Serving, explained: int
) -> None:
    found = refreshed(browsed, serving, Settings(explained=explained))
    assert found["ann"] == Shelf(["a", "b", "c"], [3.0, 2.0, 1.0], VERSION, AT, None)
    assert serving.ranker.encodings == 2  # one for each shopper, none for a reason
    assert marked(browsed, due.REASON) == (["ann", "nobody"] if explained else [])
    assert serving.told == [VERSION]


def test_a_refresh_takes_old_reasons_away(browsed: Engine, serving: Serving) -> None:
    assert refreshed(browsed, serving, Settings(), explain=True)["ann"].because
    with browsed.begin() as connection:
        due.mark(connection, due.SHOPPER, ["ann"])
    assert refreshed(browsed, serving, Settings())["ann"].because is None


def test_what_the_catalogue_does_not_know_is_on_no_shelf_and_explains_nothing(
    database: Engine, browsed: Engine
) -> None:
    """A version that was loaded a moment ago may know more of the catalogue than the one that serves."""
    serving = Serving(database, VERSION, Fixed("unheard of", "a", "c"))
    with database.begin() as connection:
        connection.execute(text("DELETE FROM items WHERE item_id = 'y'"))
        due.mark(connection, due.SHOPPER, ["ann"])
    found = refreshed(browsed, serving, Settings(), explain=True)["ann"]
    assert (found.item_ids, found.scores) == (["a", "c"], [2.0, 1.0])
    assert found.because == [None, ("x", "view")]  # each item has its own


def test_reasons_name_only_what_the_catalogue_knows(browsed: Engine, serving: Serving) -> None:
    with browsed.begin() as connection:
        connection.execute(text("DELETE FROM items WHERE item_id = 'y'"))
    found = refreshed(browsed, serving, Settings(), explain=True)["ann"]
    assert found.because == [None, None, ("x", "view")]
