"""Refreshing while an experiment runs: each arm by its version, no shelf lost to a failure, each event counted once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Engine, text

from model.recommend.events import Ranked, RankRequest
from model.recommend.serving.serve import Ranker
from storage import due
from storage.events import intake
from storage.experiment import experiments
from storage.experiment.experiments import Arm, Experiment
from storage.recommend import transitions
from storage.registry import health, models
from tests.support import shelves
from tests.support.serving import Fixed, Serving
from workers.experiment import assignment, service
from workers.recommend import refresh, versions
from workers.settings import Settings

LIVE, NEXT = "recommend-20260501T000000-00000a", "recommend-20260502T000000-00000b"
LEARNT = datetime(2026, 5, 20, tzinfo=UTC)
HALVES = Experiment("halves", "salt", (Arm("control", "live", 0.5), Arm("new", f"version:{NEXT}", 0.5)))
SHOPPERS = [f"s{number}" for number in range(12)]
NEW = [shopper for shopper in SHOPPERS if assignment.arm_of(HALVES, shopper).name == "new"]


class Ranks(Fixed):
    """Ranks one item for everyone, or raises; remembers how long the histories were that it was given."""

    def __init__(self, item_id: str, *, history: int = 10, broken: bool = False) -> None:
        super().__init__(item_id, history=history)
        self.broken = broken
        self.lengths: list[int] = []

    def rank(self, requests: Sequence[RankRequest], *, k: int, explain: int = 0) -> list[Ranked]:
        if self.broken:
            raise FloatingPointError("the scores are not finite")
        self.lengths += [len(request.history) for request in requests]
        return super().rank(requests, k=k, explain=explain)


class Loaded(Serving):
    """The models of a process: the one that serves, and the next one once it is wanted and loaded."""

    def __init__(self, database: Engine, live: Ranks, next: Ranks | None = None) -> None:
        super().__init__(database, LIVE, live)
        self.next = next
        self.wanted: list[str] = []
        self.loading: Ranks | None = None

    def ranker_of(self, version: str) -> Ranker | None:
        return cast("Ranker | None", self.next) if version == NEXT else super().ranker_of(version)

    def want(self, versions: Sequence[str]) -> None:
        self.wanted = list(versions)

    def follow(self) -> bool:
        if NEXT in self.wanted and self.loading is not None:
            self.next, self.loading = self.loading, None
        return True


@pytest.fixture
def shop(database: Engine) -> Engine:
    """A database in which the experiment runs, and every shopper has bought a and then b."""
    with database.begin() as connection:
        for version in (LIVE, NEXT):
            models.register(connection, version, config={}, metrics={}, learnt_through=LEARNT)
        models.switch(connection, LIVE)
        shelves.announce(connection, "x", "y")
        experiments.start(connection, HALVES)
    happens(database, "a", "b", at=1)
    return database


def happens(database: Engine, *item_ids: str, at: float) -> None:
    """Have every shopper buy each of the items, a second after the other, from `at` minutes after the training on."""
    row: dict[str, Any] = dict.fromkeys(("value", "session_id", "surface", "request_id", "query"))
    row |= {"quantity": 1.0, "context": {}, "kind": "purchase"}
    events = [
        row
        | {"event_id": f"{shopper}-{item_id}-{at}", "shopper": shopper, "item_id": item_id}
        | {"at": LEARNT + timedelta(minutes=at, seconds=second)}
        for shopper in SHOPPERS
        for second, item_id in enumerate(item_ids)
    ]
    with database.begin() as connection:
        intake.write_events(connection, events, writer="test")


def refreshed(database: Engine, loaded: Loaded) -> dict[str, tuple[str, list[str | None]]]:
    """Return the version and the items of every shelf, once what is due is refreshed."""
    with database.begin() as connection:
        claims = due.claim(connection, due.SHOPPER, limit=100, lease=30)
    refresh.shoppers(database, cast(Any, loaded), Settings(), claims)
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM due WHERE kind = 'shopper'")).scalar() == 0
        return {owner: (shelf.version, shelf.item_ids) for owner, shelf in shelves.every(connection).items()}


def ranked(database: Engine, loaded: Loaded) -> dict[str, tuple[int, int]]:
    """Return, of both versions, the batches that each ranked, and those that it was asked for and failed."""
    with database.connect() as connection:
        found = health.lately(connection, [LIVE, NEXT], minutes=1)
    # A failure is told at once, with the batch that it was; the others when the models are followed the next time.
    assert {version: one.batches for version, one in found.items()} == {
        version: one.failures for version, one in found.items()
    }
    return {version: (loaded.told.count(version), found[version].failures) for version in (LIVE, NEXT)}


def counts(database: Engine) -> dict[str, float]:
    with database.connect() as connection:
        return {before + after: count for before, after, count in transitions.changed_since(connection, 0).rows}


def test_each_shopper_is_ranked_by_the_version_of_their_arm(shop: Engine) -> None:
    loaded = Loaded(shop, Ranks("x"), next=Ranks("y"))
    assert 0 < len(NEW) < len(SHOPPERS)
    assert refreshed(shop, loaded) == {one: (NEXT, ["y"]) if one in NEW else (LIVE, ["x"]) for one in SHOPPERS}
    assert ranked(shop, loaded) == {LIVE: (1, 0), NEXT: (1, 0)}


def test_a_version_that_is_not_loaded_leaves_its_shoppers_to_the_live_one(shop: Engine) -> None:
    loaded = Loaded(shop, Ranks("x"))
    assert refreshed(shop, loaded) == dict.fromkeys(SHOPPERS, (LIVE, ["x"]))
    assert ranked(shop, loaded) == {LIVE: (1, 0), NEXT: (0, 0)}


def test_a_version_that_fails_takes_nobodys_shelf_away(shop: Engine) -> None:
    loaded = Loaded(shop, Ranks("x"), next=Ranks("y", broken=True))
    assert refreshed(shop, loaded) == dict.fromkeys(SHOPPERS, (LIVE, ["x"]))
    assert ranked(shop, loaded) == {LIVE: (2, 0), NEXT: (0, 1)}


def test_a_live_version_that_fails_is_counted_and_raises(shop: Engine) -> None:
    loaded = Loaded(shop, Ranks("x", broken=True), next=Ranks("y"))
    with pytest.raises(FloatingPointError):
        refreshed(shop, loaded)
    assert ranked(shop, loaded)[LIVE] == (0, 1)
    with shop.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM rankings")).scalar() == 0


def test_each_version_reads_as_much_history_as_it_knows(shop: Engine) -> None:
    happens(shop, *"cdefgh", at=2)
    live, other = Ranks("x", history=3), Ranks("y", history=7)
    refreshed(shop, Loaded(shop, live, next=other))
    assert (set(live.lengths), set(other.lengths)) == ({3}, {7})


def test_events_count_once_whichever_version_ranks_and_when_it_is_over(shop: Engine) -> None:
    loaded = Loaded(shop, Ranks("x"), next=Ranks("y"))
    refreshed(shop, loaded)
    everyone = float(len(SHOPPERS))
    assert counts(shop) == {"ab": everyone}
    happens(shop, "c", at=2)
    refreshed(shop, loaded)
    assert counts(shop) == {"ab": everyone, "bc": everyone, "ac": everyone / 2}
    assert service.stop(shop, "halves") == len(NEW)
    assert refreshed(shop, loaded) == dict.fromkeys(SHOPPERS, (LIVE, ["x"]))
    assert counts(shop) == {"ab": everyone, "bc": everyone, "ac": everyone / 2}


def test_a_version_that_arrives_finds_its_shoppers_due(shop: Engine) -> None:
    loaded = Loaded(shop, Ranks("x"))
    assert versions.follow(shop, loaded)
    assert loaded.wanted == [NEXT]
    assert refreshed(shop, loaded) == dict.fromkeys(SHOPPERS, (LIVE, ["x"]))
    loaded.loading = Ranks("y")
    assert versions.follow(shop, loaded)
    assert refreshed(shop, loaded) == {one: (NEXT, ["y"]) if one in NEW else (LIVE, ["x"]) for one in SHOPPERS}
    assert ranked(shop, loaded) == {LIVE: (1, 0), NEXT: (1, 0)}, "the others were not ranked again"
    other = Loaded(shop, Ranks("x"))
    other.loading = Ranks("y")
    assert versions.follow(shop, other)  # another process, which has nothing to make good
    with shop.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM due WHERE kind = 'shopper'")).scalar() == 0
    service.stop(shop, "halves")
    assert versions.follow(shop, loaded)
    assert loaded.wanted == []


def test_no_experiment_asks_for_no_other_version(shop: Engine) -> None:
    service.stop(shop, "halves")
    loaded = Loaded(shop, Ranks("x"), next=Ranks("y"))
    assert refreshed(shop, loaded) == dict.fromkeys(SHOPPERS, (LIVE, ["x"]))
    assert ranked(shop, loaded) == {LIVE: (1, 0), NEXT: (0, 0)}
