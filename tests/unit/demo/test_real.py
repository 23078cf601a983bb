"""The demo on a real file: whom it shows, and when it says that it failed."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
from rich.console import Console

from demo import portraits, real
from demo.real import Portrait, RealOutcome
from demo.retail import RetailReport
from demo.tally import MESSAGE, Tally

START = datetime(2011, 1, 1, tzinfo=UTC)


def _events(rows: list[tuple[str, str, int]]) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "shopper": [shopper for shopper, _, _ in rows],
        "session_id": [basket for _, basket, _ in rows],
        "at": [START + timedelta(days=day) for _, _, day in rows],
    }
    return pl.DataFrame(columns)


def _outcome(tally: Tally, *shelves: Portrait) -> RealOutcome:
    return RealOutcome(cast(RetailReport, None), tally, list(shelves), undelivered=0)


def test_the_customers_shown_are_the_latest_of_those_who_come_back() -> None:
    rows = [(name, f"{name}{day}", day) for name in ("ann", "bob") for day in (1, 2, 3)]
    rows += [("bob", "bob9", 9), ("once", "once99", 99)]
    assert real._regulars(_events(rows)) == ["bob", "ann"]


def test_a_file_without_regulars_shows_whom_it_has() -> None:
    assert real._regulars(_events([("ann", "a", 1), ("bob", "b", 2)])) == ["bob", "ann"]


def test_the_last_title_of_an_item_counts() -> None:
    changes = ({"item_id": "1", "fields": {"title": "Mug"}}, {"item_id": "1", "fields": {"price": 2.0}})
    loaded = SimpleNamespace(reading=SimpleNamespace(changes=changes))
    assert real._titles(cast(RetailReport, SimpleNamespace(loaded=loaded))) == {"1": "Mug"}


def test_a_customer_without_a_shelf_of_their_own_is_a_problem() -> None:
    tally = Tally()
    tally.latencies[MESSAGE].append(0.1)
    assert _outcome(tally, Portrait("ann", [], [], is_personal=True)).problems() == []
    assert _outcome(tally, Portrait("ann", [], [], is_personal=False)).problems() == ["ann has no shelf of their own"]
    assert "never became visible" in _outcome(Tally()).problems()[0]


def test_purchases_and_shelf_stand_side_by_side_in_titles() -> None:
    output = io.StringIO()
    tally = Tally()
    tally.latencies[MESSAGE].append(0.1)
    portrait = Portrait("17850", ["[red] mug", "bunting"], ["teapot"], is_personal=True)
    portraits.show(Console(file=output, width=110), _outcome(tally, portrait))
    assert "[red] mug" in output.getvalue()
    assert "teapot" in output.getvalue()
    assert "everything worked" in output.getvalue()
