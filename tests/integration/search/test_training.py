"""Training search on a shop's tables: what is learnt is saved, registered, switched to, and followed."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from model.text import analyser
from reshelf import parsing
from storage.events import intake
from storage.registry import models, updates
from storage.search import search_log
from tests.support.searching import Shop
from workers import rows
from workers.catalogue import to_item
from workers.registry import promotion, switching
from workers.registry.errors import NotEnoughData
from workers.search import clicked, training, waiting
from workers.settings import Settings

COLOURS = ("red", "green", "blue", "black", "white", "yellow")
THINGS = ("hammer", "drill", "saw", "ladder", "lamp", "chair")


def event(n: int, kind: str, **fields: object) -> dict[str, object]:
    at = datetime.now(UTC) - timedelta(hours=1)
    given = {"event_id": f"e{n}", "kind": kind, "at": at.isoformat(), "user_id": "ann", **fields}
    [message] = parsing.parse_events([given]).good
    return rows.event_row(message)


def _soon() -> str:
    return datetime.now(UTC).isoformat()


@pytest.fixture(name="settings")
def _settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_an_update_needs_a_version_that_serves(database: Engine, settings: Settings) -> None:
    assert waiting.reason(database, settings) is None
    with pytest.raises(NotEnoughData, match="reshelf train search"):
        training.update(database, settings)


def test_a_version_that_learnt_words_cut_in_another_way_is_trained_anew_once(
    database: Engine, settings: Settings
) -> None:
    def register(name: str, analyser_version: int, parent: str | None) -> str:
        version = models.version_name(models.SEARCH, datetime(2026, 3, 1, tzinfo=UTC), name)
        with database.begin() as connection:
            config = {"analyser": analyser_version, "dim": 16}
            models.register(connection, version, config=config, metrics={}, parent=parent)
        return version

    older = register("aaaaaa", analyser.VERSION - 1, None)
    with database.begin() as connection:
        models.switch(connection, older)
    told = waiting.reason(database, settings)
    assert told is not None
    assert "another way" in told
    register("bbbbbb", analyser.VERSION, older)
    assert waiting.reason(database, settings) is None  # it was not good enough to serve


def test_an_empty_shop_says_what_is_missing(database: Engine, settings: Settings) -> None:
    with pytest.raises(NotEnoughData, match="catalogue"):
        training.train(database, settings, preset="tiny")


def test_a_version_is_trained_published_and_followed(shop: Shop, settings: Settings) -> None:
    for colour, thing in itertools.product(COLOURS, THINGS):
        shop.change("upsert", f"{colour}-{thing}", title=f"{colour} {thing} for the home", category=thing)
    before = shop.ask("red hammer")
    shop.work()
    report = training.train(shop.database, settings, preset="tiny")
    assert report.published or report.reasons
    if not report.published:  # the encoder of a minute may be worse than words: then nothing may change
        switching.switch(shop.database, report.version)
    assert set(report.figures) == {"lexical", "fused"}

    for _ in range(200):  # the version is loaded beside the one that searches
        shop.work()
        if shop.serving.version == report.version:
            break
    assert shop.serving.version == report.version
    answer = shop.answer(before)
    assert (answer["model_version"], answer["item_ids"][0]) == (report.version, "red-hammer")
    shop.change("upsert", "new", title="red hammer", category="hammer")
    shop.work()
    assert "new" in shop.answer(before)["item_ids"][:2]
    with shop.database.connect() as connection:
        live = models.live(connection, models.SEARCH)
        assert live is not None
        assert models.live(connection) is None
    assert waiting.reason(shop.database, settings) is None
    with shop.database.begin() as connection:
        searched = [event(n, "search", query="lamp", request_id=f"s{n}", at=_soon()) for n in range(30)]
        clicked_on = [event(30 + n, "click", item_id="red-lamp", request_id=f"s{n}", at=_soon()) for n in range(20)]
        intake.write_events(connection, [*searched, *clicked_on], writer="test")
    assert waiting.reason(shop.database, Settings(home=settings.home, search_train_changes=21)) is None
    eager = Settings(home=settings.home, search_train_changes=20)
    assert waiting.reason(shop.database, eager) == "20 new items and searches with a click"
    updated = training.update(shop.database, eager)
    assert updated.queries == 1
    assert waiting.reason(shop.database, eager) is None  # whether it serves or was rejected
    with shop.database.connect() as connection:
        assert updates.attempts(connection, models.SEARCH, report.version) == 0
        kept = {row.version: row.config for row in models.versions(connection, models.SEARCH)}
    assert kept[updated.version] == kept[report.version]
    if updated.published:
        assert promotion.rollback(shop.database, settings.home, models.SEARCH).version == report.version
    second = training.train(shop.database, settings, preset="tiny", seed=1, serve=False)
    assert not second.published
    assert promotion.promote(shop.database, settings.home, second.version, force=True).previous == report.version
    assert promotion.rollback(shop.database, settings.home, models.SEARCH).version == report.version


def test_clicks_become_judgements_by_what_was_shown_where(shop: Shop) -> None:
    events = []
    numbers = itertools.count()
    for search in range(40):
        request = f"r{search}"
        order = ["drill", "bits"] if search % 2 else ["bits", "drill"]
        events.append(event(next(numbers), "search", query="Drill ", request_id=request))
        events += [
            event(next(numbers), "impression", item_id=item_id, request_id=request, rank=rank)
            for rank, item_id in enumerate(order, start=1)
        ]
        events.append(event(next(numbers), "click", item_id="drill", request_id=request))
    events.append(event(next(numbers), "search", query="never clicked", request_id="other"))
    events.append(event(next(numbers), "impression", item_id="fan", request_id="other", rank=1))
    with shop.database.begin() as connection:
        intake.write_events(connection, events, writer="test")
        items = [to_item(row) for row in connection.execute(text("SELECT * FROM items ORDER BY item_no"))]
        known = clicked.judged(search_log.shown(connection), items)
    assert known.queries == ("drill",)
    relevance = {items[place].item_id: right for place, right in known.relevance[0].items()}
    assert relevance["drill"] > 0.8 > 0.2 > relevance["bits"]
