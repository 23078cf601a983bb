"""Refreshing: what the ranker answers is what the tables hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Engine, text

from model.recommend import config as configs
from model.recommend.events import Ranked, RankRequest
from storage import due, intake, models
from workers.recommend import refresh
from workers.recommend.serving import Serving
from workers.settings import Settings

AT = datetime(2026, 5, 20, tzinfo=UTC)
VERSION = "recommend-20260520T000000-000001"


class Echo:
    """Ranks three items, and explains them by the last event of the history, none, and the first."""

    config = configs.preset("small", history=10)

    def rank(self, requests: Sequence[RankRequest], *, k: int, explain: int = 0) -> list[Ranked]:
        answers = []
        for request in requests:
            events = [request.history[-1], None, request.history[0]] if request.history else [None, None, None]
            answers.append(Ranked(["a", "b", "c"][:k], [3.0, 2.0, 1.0][:k], events[:explain]))
        return answers


@pytest.fixture
def serving() -> Serving:
    return cast(Serving, SimpleNamespace(ranker=Echo(), version=VERSION))


def refreshed(database: Engine, serving: Serving, settings: Settings) -> dict[str, tuple[Any, ...]]:
    """Return (items, reasons, kinds, through) of the shelf of each due shopper, once refreshed."""
    with database.begin() as connection:
        claims = due.claim(connection, due.SHOPPER, limit=10, lease=30)
    refresh.shoppers(database, serving, settings, claims)
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM due")).scalar() == 0
        rows = connection.execute(
            text(
                "SELECT owner, item_ids, because_item_ids, because_kinds, through FROM rankings WHERE surface = 'home'"
            )
        )
        return {row.owner: tuple(row)[1:] for row in rows}


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
        models.register(connection, VERSION, config={}, metrics={})
        models.switch(connection, VERSION)
        intake.write_events(connection, events, writer="test")
        due.mark(connection, due.SHOPPER, ["nobody"])
        connection.execute(text("DELETE FROM due WHERE kind <> 'shopper'"))
    return database


@pytest.mark.parametrize(
    ("explained", "because", "kinds"),
    [
        (20, ["y", None, "x"], ["purchase", None, "view"]),
        (2, ["y", None], ["purchase", None]),
        (0, None, None),
    ],
)
def test_reasons_are_written_with_the_shelf(
    browsed: Engine, serving: Serving, explained: int, because: list[str | None] | None, kinds: list[str | None] | None
) -> None:
    shelves = refreshed(browsed, serving, Settings(explained=explained))
    assert shelves["ann"] == (["a", "b", "c"], because, kinds, AT)


def test_an_empty_history_explains_nothing(browsed: Engine, serving: Serving) -> None:
    assert refreshed(browsed, serving, Settings(explained=1))["nobody"] == (["a", "b", "c"], [None], [None], None)
