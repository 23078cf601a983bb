"""Swaps: the old version ranks until the new one is warm, nothing is lost meanwhile, a damaged one never serves."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from model.recommend.events import Interaction, RankRequest
from reshelf import parsing
from storage import due
from storage.events import intake
from storage.recommend import transitions
from storage.registry import health, models
from storage.registry.health import Health
from tests.support import shop
from tests.support import stack as stacks
from workers import rows
from workers import settings as configuration
from workers.recommend import following, refresh
from workers.recommend.following import Follower
from workers.recommend.serving import Serving
from workers.registry import loading, switching
from workers.registry.loading import Loader
from workers.runtime import claims
from workers.settings import Settings

SOLD_OUT = (
    "UPDATE items SET stock = 0, changed_xid = CAST(CAST(pg_current_xact_id() AS text) AS bigint) "
    "WHERE item_id = :item_id"
)
ASKED = [RankRequest([Interaction("item-4", "click", datetime(2026, 5, 20, tzinfo=UTC).timestamp())])]


@pytest.fixture(name="settings")
def _settings(database: Engine, database_url: str, broker_url: str, tmp_path: Path) -> Settings:
    settings = stacks.settings_for(tmp_path, database_url, broker_url)
    shop.train(database, settings)
    return settings


@pytest.fixture(name="serving")
def _serving(database: Engine, settings: Settings) -> Iterator[Serving]:
    """A process that has loaded what serves."""
    serving = Serving(database, settings.home)
    assert serving.follow()
    assert serving.is_current
    yield serving
    _settle(serving)


def _settle(serving: Serving) -> None:
    """Wait until nothing is being loaded: a thread that outlives its test would disturb the next."""
    for thread in threading.enumerate():
        if thread.name.startswith("load-"):
            thread.join(60)
    serving.follow()


def _work(database: Engine, serving: Serving, settings: Settings, kind: str = due.SHOPPER) -> None:
    """Do what the tasks of both processes that rank do; what can wait has to until the live version is there."""
    for later in (False, True) if serving.is_current else (False,):
        work: Callable[..., object] = refresh.items
        if kind == due.SHOPPER:
            work = partial(refresh.shoppers, explain=later)
        batch = partial(work, database, serving, settings)
        while not claims.drain(database, kind, batch, settings, later=later, most=8 if later else None):
            pass


def _versions(database: Engine, surface: str = "home") -> dict[str, int]:
    """Return how many shelves each version has ranked."""
    with database.connect() as connection:
        rows = connection.execute(
            text("SELECT model_version, count(*) AS n FROM rankings WHERE surface = :surface GROUP BY 1"),
            {"surface": surface},
        )
        return {row.model_version: row.n for row in rows}


def _due(database: Engine, kind: str = due.SHOPPER) -> int:
    with database.connect() as connection:
        return next((backlog.count for backlog in due.summary(connection) if backlog.kind == kind), 0)


def test_the_old_version_ranks_until_the_new_one_is_there(
    database: Engine, serving: Serving, settings: Settings
) -> None:
    old = serving.version
    _work(database, serving, settings)
    _work(database, serving, settings, due.ITEM)
    assert _versions(database) == {old: 40}
    new = shop.another(database, settings, "00face")
    switching.switch(database, new, why=models.PROMOTED)
    assert serving.follow()
    assert (serving.version, serving.is_current) == (old, False)
    _work(database, serving, settings)
    assert _due(database) == 40  # what is due for the new one waits for it

    with database.begin() as connection:  # what happens meanwhile does not, and is done again by the new one
        due.mark(connection, due.SHOPPER, ["past-1", "late"])
    _work(database, serving, settings)
    assert _versions(database) == {old: 41}
    assert _due(database) == 41

    _settle(serving)
    assert (serving.version, serving.is_current) == (new, True)
    _work(database, serving, settings)
    _work(database, serving, settings, due.ITEM)
    assert _versions(database) == {new: 41}
    assert _versions(database, "similar") == {new: shop.ITEMS}
    assert (_due(database), _due(database, due.ITEM)) == (0, 0)
    assert serving.ranker_of(old) is None  # its memory is free again


def test_what_the_old_version_ranked_meanwhile_of_items_is_ranked_anew_by_the_new_one(
    database: Engine, serving: Serving, settings: Settings
) -> None:
    """An item that is announced while the new version is loaded, and the neighbours on whose shelves it may stand."""
    old = serving.version
    _work(database, serving, settings, due.ITEM)
    assert _versions(database, "similar") == {old: shop.ITEMS}
    new = shop.another(database, settings, "00face")
    switching.switch(database, new)
    assert serving.follow()
    assert not serving.is_current
    announced = parsing.parse_changes([shop.item(100)])
    assert not announced.bad
    with database.begin() as connection:
        intake.write_changes(connection, [rows.change_row(change) for change in announced.good], writer="test")
    _work(database, serving, settings, due.ITEM)
    assert _versions(database, "similar") == {old: shop.ITEMS + 1}

    _settle(serving)
    assert (serving.version, serving.is_current) == (new, True)
    _work(database, serving, settings, due.ITEM)
    assert _due(database, due.ITEM) == 0
    assert _versions(database, "similar") == {new: shop.ITEMS + 1}


def test_a_shelf_of_the_live_version_is_not_overwritten_by_a_worker_that_lags(
    database: Engine, serving: Serving, settings: Settings
) -> None:
    _work(database, serving, settings)
    lagging = Serving(database, settings.home)
    assert lagging.follow()
    new = shop.another(database, settings, "00face")
    switching.switch(database, new)
    assert serving.follow()
    _settle(serving)
    _work(database, serving, settings)
    with database.begin() as connection:
        due.mark(connection, due.SHOPPER, ["past-1"])
    assert lagging.follow()
    assert not lagging.is_current
    _work(database, lagging, settings)
    assert _versions(database) == {new: 40}
    assert _due(database) == 1
    _work(database, serving, settings)
    assert _due(database) == 0
    _settle(lagging)


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_a_version_that_cannot_be_loaded_never_serves(
    database: Engine, serving: Serving, settings: Settings, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    old = serving.version
    [before] = serving.ranker.rank(ASKED, k=10)
    new = shop.another(database, settings, "00face")
    folder = configuration.model_folder(settings.home, new)
    if harm == "missing":
        shutil.rmtree(folder)
    else:
        (folder / "description.json").write_text("{}")
    switching.switch(database, new)
    with caplog.at_level(logging.ERROR):
        assert serving.follow()
        _settle(serving)
    assert [record.levelname for record in caplog.records] == ["ERROR"]  # once: it is left alone for a while
    assert new in caplog.text
    assert (serving.version, serving.is_current) == (old, False)
    assert serving.ranker.rank(ASKED, k=10) == [before]
    _work(database, serving, settings)
    assert _versions(database) == {old: 40}  # what the events before made due
    assert _due(database) == 40

    restarted = Serving(database, settings.home)  # what served before is better than nothing
    assert restarted.follow()
    assert (restarted.version, restarted.is_current) == (old, False)
    switching.switch(database, old, why=models.ROLLED_BACK)
    assert restarted.follow()
    assert restarted.is_current


def test_a_process_that_can_load_nothing_waits(database: Engine, settings: Settings) -> None:
    with database.connect() as connection:
        live = models.live(connection)
    assert live is not None
    folder = configuration.model_folder(settings.home, live.version)
    folder.rename(folder.with_name("elsewhere"))
    serving = Serving(database, settings.home)
    assert not serving.follow()
    assert not serving.follow()


def test_a_version_that_is_mended_is_taken_up(
    database: Engine, serving: Serving, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = shop.another(database, settings, "00face")
    folder = configuration.model_folder(settings.home, new)
    folder.rename(folder.with_name("elsewhere"))
    switching.switch(database, new)
    assert serving.follow()
    _settle(serving)
    folder.with_name("elsewhere").rename(folder)
    assert serving.follow()
    _settle(serving)
    assert serving.version != new  # it is left alone for a while
    monkeypatch.setattr(loading, "RETRY_SECONDS", 0.0)
    assert serving.follow()
    _settle(serving)
    assert serving.version == new


def test_other_versions_are_kept_beside_the_live_one(database: Engine, serving: Serving, settings: Settings) -> None:
    live = serving.version
    canaries = [shop.another(database, settings, f"00fac{n}", louder=0.1 * (n + 1)) for n in range(3)]
    serving.want([live, *canaries])
    assert serving.ranker_of(canaries[0]) is None
    for _ in range(3):
        assert serving.follow()
        _settle(serving)
    assert [serving.ranker_of(version) is not None for version in (live, *canaries)] == [True, True, True, False]
    compiled = serving.ranker.compilations

    last = serving.ranker.rank(ASKED, k=30)[0].item_ids[-1]
    with database.begin() as connection:
        transitions.add(connection, {("item-4", last): 50.0})
        connection.execute(text(SOLD_OUT), {"item_id": "item-8"})
    assert serving.follow()
    for version in (live, *canaries[:2]):
        ranker = serving.ranker_of(version)
        assert ranker is not None
        alone = following.load(database, settings.home, version).ranker
        if version == live:  # what is counted is the live version's
            alone.add_transitions({"item-4": {last: 50.0}})
        [found] = ranker.rank(ASKED, k=30)
        assert [found] == alone.rank(ASKED, k=30)  # bit for bit as if it were alone
        assert "item-8" not in found.item_ids
        assert (last in found.item_ids[:20]) is (version == live)

    switching.switch(database, canaries[1])
    assert serving.follow()  # it is there already: no pause, no thread
    assert (serving.version, serving.is_current) == (canaries[1], True)
    assert serving.ranker.compilations == compiled
    serving.want([])
    assert serving.follow()
    assert serving.ranker_of(canaries[0]) is None


def test_a_version_that_serves_again_counts_anew(database: Engine, serving: Serving, settings: Settings) -> None:
    old = serving.version
    [trained] = serving.ranker.rank(ASKED, k=30)
    with database.begin() as connection:
        transitions.add(connection, {("item-4", trained.item_ids[-1]): 50.0})
    assert serving.follow()
    assert serving.ranker.rank(ASKED, k=30) != [trained]
    new = shop.another(database, settings, "00face")
    switching.switch(database, new)
    switching.switch(database, old, why=models.ROLLED_BACK)  # before this process looked
    assert serving.follow()
    assert serving.version == old
    assert serving.ranker.rank(ASKED, k=30) == [trained]


def test_what_each_version_ranked_is_told_when_it_is_followed(
    database: Engine, serving: Serving, settings: Settings
) -> None:
    """Beside the transaction of a batch: what is told is a row that all workers share."""

    def told() -> Health:
        with database.connect() as connection:
            return health.lately(connection, [serving.version], minutes=5)[serving.version]

    work = partial(refresh.shoppers, database, serving, settings)
    assert claims.drain(database, due.SHOPPER, work, settings, seconds=120)
    assert told() == Health()
    assert serving.follow()
    once = told()
    assert (once.batches, once.failures) == (-(-40 // settings.refresh_batch), 0)
    assert once.seconds > 0
    serving.ranked(serving.version, 0.25)
    serving.ranked(serving.version, 0.5)
    for _ in range(2):
        assert serving.follow()
        assert told() == Health(once.batches + 2, 0, once.seconds + 0.75)


def test_a_loader_that_meets_a_bug_says_so_and_rests(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[str] = []

    def broken(version: str) -> Follower:
        asked.append(version)
        raise ZeroDivisionError(version)

    loader = Loader(broken, ready=lambda: asked.append("ready"))
    for _ in range(2):
        loader.ask("recommend-x")
        for thread in threading.enumerate():
            if thread.name == "load-recommend-x":
                thread.join(10)
        assert loader.take() is None
        assert not loader.busy
    assert asked == ["recommend-x"]
    assert "ZeroDivisionError" in caplog.text
