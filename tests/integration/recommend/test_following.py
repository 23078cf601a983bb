"""Counted transitions follow the events: each counts once, whatever happens to its refresh, and ranks at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from model.recommend.events import Interaction, RankRequest
from reshelf import parsing
from storage import due
from storage.due import Claim
from storage.events import intake
from storage.recommend import transitions
from storage.registry import models
from tests.support import shop as shops
from tests.support import stack as stacks
from tests.support.serving import Fixed, Serving
from workers import rows
from workers.recommend import refresh
from workers.recommend import serving as recommend
from workers.registry import switching
from workers.settings import Settings

LEARNT = datetime(2026, 5, 20, tzinfo=UTC)
ONE, TWO = "recommend-20260520T000000-000001", "recommend-20260521T000000-000002"
SETTINGS = Settings()


def serving(database: Engine, version: str = ONE) -> Any:
    """Ranks nothing; counting does not ask what was ranked."""
    return Serving(database, version, Fixed())


@pytest.fixture
def shop(database: Engine) -> Engine:
    """A database in which `ONE` serves and `TWO`, which learnt a minute more, is registered."""
    with database.begin() as connection:
        for version, learnt in ((ONE, LEARNT), (TWO, LEARNT + timedelta(minutes=1))):
            models.register(connection, version, config={}, metrics={}, learnt_through=learnt)
        models.switch(connection, ONE)
    return database


def happens(database: Engine, *item_ids: str, at: float, shopper: str = "ann", kind: str = "purchase") -> None:
    """Write an event on each item, a second after the other, from `at` minutes after the training on."""
    row: dict[str, Any] = dict.fromkeys(("value", "session_id", "surface", "request_id", "query"))
    row |= {"shopper": shopper, "quantity": 1.0, "context": {}, "kind": kind}
    times = [LEARNT + timedelta(minutes=at, seconds=n) for n in range(len(item_ids))]
    events = [
        row | {"event_id": f"{shopper}-{item_id}-{time}", "item_id": item_id, "at": time}
        for item_id, time in zip(item_ids, times, strict=True)
    ]
    with database.begin() as connection:
        intake.write_events(connection, events, writer="test")


def claims(database: Engine) -> list[Claim]:
    with database.begin() as connection:
        untried = due.claim(connection, due.SHOPPER, limit=10, lease=30)
        return untried or due.claim_retry(connection, due.SHOPPER, lease=30, max_attempts=5)


def refreshed(database: Engine, version: str = ONE) -> None:
    refresh.shoppers(database, serving(database, version), SETTINGS, claims(database))


def counts(database: Engine) -> dict[str, float]:
    with database.connect() as connection:
        rows = transitions.changed_since(connection, 0).rows
    return {before + after: round(count, 3) for before, after, count in rows}


def test_an_event_counts_once(shop: Engine) -> None:
    happens(shop, "a", "b", at=1)
    refreshed(shop)
    assert counts(shop) == {"ab": 1.0}
    with shop.begin() as connection:
        due.mark(connection, due.SHOPPER, ["ann"])
    refreshed(shop)
    assert counts(shop) == {"ab": 1.0}
    happens(shop, "c", at=2)
    happens(shop, "x", at=2, shopper="bob")
    happens(shop, "z", at=3, kind="dismiss")
    refreshed(shop)
    assert counts(shop) == {"ab": 1.0, "bc": 1.0, "ac": 0.5}


def test_what_the_training_knew_is_not_counted_again(shop: Engine) -> None:
    happens(shop, "a", "b", at=-1)
    refreshed(shop)
    assert counts(shop) == {}
    happens(shop, "x", "y", at=-1, shopper="bob")
    happens(shop, "z", at=1, shopper="bob")
    refreshed(shop)
    assert counts(shop) == {"yz": 1.0, "xz": 0.5}


def test_a_late_event_is_left_to_the_next_training(shop: Engine) -> None:
    happens(shop, "a", at=1)
    happens(shop, "c", at=3)
    refreshed(shop)
    happens(shop, "b", at=2)
    refreshed(shop)
    assert counts(shop) == {"ac": 1.0}
    happens(shop, "d", at=4)  # what comes after it follows it
    refreshed(shop)
    assert counts(shop) == {"ac": 1.0, "cd": 1.0, "bd": 0.5, "ad": 0.333}


def test_a_refresh_that_fails_counts_nothing_and_its_retry_once(shop: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    happens(shop, "a", "b", at=1)
    taken = claims(shop)
    with monkeypatch.context() as broken:
        broken.setattr(due, "clear", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            refresh.shoppers(shop, serving(shop), SETTINGS, taken)
    assert counts(shop) == {}
    refresh.shoppers(shop, serving(shop), SETTINGS, taken)
    refresh.shoppers(shop, serving(shop), SETTINGS, taken)  # two workers with one claim
    assert counts(shop) == {"ab": 1.0}


def test_of_two_refreshes_the_overtaken_one_counts_nothing(shop: Engine) -> None:
    happens(shop, "a", "b", at=1)
    slow = claims(shop)
    happens(shop, "c", at=2)
    refreshed(shop)
    happens(shop, "d", at=3)
    refresh.shoppers(shop, serving(shop), SETTINGS, slow)  # it read d too, but the newer shelf stays
    assert counts(shop) == {"ab": 1.0, "bc": 1.0, "ac": 0.5}
    refreshed(shop)
    assert counts(shop) == {"ab": 1.0, "bc": 1.0, "ac": 0.5, "cd": 1.0, "bd": 0.5, "ad": 0.333}


def test_a_switch_forgets_and_counts_what_the_new_model_does_not_know(shop: Engine) -> None:
    happens(shop, "a", "b", at=0.5)
    happens(shop, "c", at=2)
    refreshed(shop)
    assert counts(shop) == {"ab": 1.0, "bc": 1.0, "ac": 0.5}
    switching.switch(shop, TWO)  # trained while c came
    assert counts(shop) == {}
    refresh.shoppers(shop, serving(shop, ONE), SETTINGS, claims(shop))  # a worker that has not heard of it yet
    assert counts(shop) == {}
    with shop.begin() as connection:
        due.mark(connection, due.SHOPPER, ["ann"])
    refreshed(shop, TWO)
    assert counts(shop) == {"bc": 1.0, "ac": 0.5}
    switching.switch(shop, ONE)  # back to the one that knows less
    assert counts(shop) == {}
    refreshed(shop, ONE)
    assert counts(shop) == {"ab": 1.0, "bc": 1.0, "ac": 0.5}


def test_what_one_shopper_does_moves_the_shelf_of_another(
    database: Engine, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    settings = stacks.settings_for(tmp_path, database_url, broker_url)
    shops.train(database, settings)
    following = recommend.Serving(database, settings.home)
    assert following.follow()
    asked = [RankRequest([Interaction("item-4", "click", LEARNT.timestamp())])]
    [before] = following.ranker.rank(asked, k=30)
    last = before.item_ids[-1]
    compiled = following.ranker.compilations

    for n in range(10):
        happens(database, "item-4", last, at=n, shopper=f"new-{n}")
    with database.begin() as connection:
        connection.execute(text("DELETE FROM due WHERE key NOT LIKE 'new-%'"))
    refresh.shoppers(database, following, settings, claims(database))
    assert following.ranker.rank(asked, k=30) == [before]
    assert following.follow()
    [after] = following.ranker.rank(asked, k=30)
    assert after.item_ids.index(last) < before.item_ids.index(last)
    assert following.follow()
    assert following.ranker.rank(asked, k=30) == [after]
    assert following.ranker.compilations == compiled

    again = recommend.Serving(database, settings.home)  # another process, which starts now
    assert again.follow()
    assert again.ranker.rank(asked, k=30) == [after]
    switching.switch(database, following.version)
    with database.connect() as connection:
        assert transitions.changed_since(connection, 0).rows == []


def test_what_was_counted_of_an_item_ranks_once_the_catalogue_announces_it(
    database: Engine, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    settings = stacks.settings_for(tmp_path, database_url, broker_url)
    shops.train(database, settings)
    following = recommend.Serving(database, settings.home)
    assert following.follow()
    late = "item-100"
    with database.begin() as connection:
        transitions.add(connection, {("item-4", late): 50.0, (late, "item-4"): 50.0, ("item-4", "never"): 5.0})
    assert following.follow()  # whoever starts later meets the item first
    announced = parsing.parse_changes([shops.item(100)])
    with database.begin() as connection:
        intake.write_changes(connection, [rows.change_row(change) for change in announced.good], writer="test")
    assert following.follow()
    again = recommend.Serving(database, settings.home)
    assert again.follow()
    pairs = {"item-4": late, late: "item-4"}
    asked = [RankRequest([Interaction(before, "click", LEARNT.timestamp())]) for before in pairs]
    ranked = following.ranker.rank(asked, k=30)
    assert ranked == again.ranker.rank(asked, k=30)
    again.live.forget_counts()
    for found, uncounted, after in zip(ranked, again.ranker.rank(asked, k=30), pairs.values(), strict=True):
        assert found.item_ids.index(after) < [*uncounted.item_ids, after].index(after)
