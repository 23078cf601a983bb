"""Flagged actors: what they did counts for nobody else, and counts again once they are cleared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Connection, Engine, text

from storage import due
from storage.bots import actors
from storage.bots.actors import Suspicion
from storage.events import intake
from storage.experiment import experiments
from storage.experiment.experiments import Arm, Experiment
from storage.recommend import baskets, popularity, rankings
from storage.recommend.popularity import Decay
from storage.registry import drift, models, training, updates
from storage.registry.drift import Window
from tests.support import shelves
from tests.support.serving import Fixed, Serving
from workers.bots import recounting, watch
from workers.recommend import refresh
from workers.settings import Settings
from workers.shelves import service as counted_shelves

NOW = datetime.now(UTC) - timedelta(hours=1)
DAY = 86_400.0
VERSION = "recommend-20260520T000000-000001"
DECAY = Decay(half_life=7 * DAY, window=60 * DAY)
WEIGHTS = {"click": 1.0, "purchase": 3.0}
HALVES = Experiment("halves", "salt", (Arm("control", "live", 0.5), Arm("crowd", "popular", 0.5)))


def row(shopper: str, kind: str, item: str, seconds: float, **other: Any) -> dict[str, Any]:
    blank = dict.fromkeys(("value", "session_id", "surface", "request_id", "query"))
    known = {"event_id": f"{shopper}-{kind}-{item}-{seconds}", "shopper": shopper, "kind": kind, "item_id": item}
    return blank | known | {"quantity": 1.0, "context": {}, "at": NOW + timedelta(seconds=seconds)} | other


def write(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    intake.write_events(connection, rows, writer="test")


def suspect(*shoppers: str, reason: str = "lockstep") -> list[Suspicion]:
    return [Suspicion(shopper, [reason], "seen") for shopper in shoppers]


def popular(connection: Connection) -> dict[str, float]:
    connection.execute(text("UPDATE watermarks SET value = '{}' WHERE name = 'popularity'"))
    popularity.refresh(connection, WEIGHTS, DECAY, depth=10)
    found = shelves.read(connection, rankings.EVERYONE, rankings.POPULAR)
    assert found is not None
    return {str(item_id): score for item_id, score in zip(found.item_ids, found.scores, strict=True)}


def others_see(connection: Connection) -> dict[str, Any]:
    """All that one shopper's events move for others, but for what a model counts."""
    window = Window(NOW - timedelta(days=1), NOW + timedelta(days=1))
    [running] = experiments.every(connection)
    return {
        "popular": popular(connection),
        "baskets": [tuple(found) for found in baskets.partners(connection, ["a", "b"], depth=5)],
        "training": b"".join(bytes(part) for part in training.events_csv(connection)),
        "finetuning": updates.new_events(connection, None, without_kinds=due.QUIET_KINDS),
        "drift": drift.item_events(connection, window),
        "sample": drift.sample(connection, window, most=9),
        "experiment": experiments.outcomes(connection, running),
    }


def test_what_a_flagged_actor_does_counts_for_nobody_else_and_again_once_cleared(database: Engine) -> None:
    honest = [row("ann", "click", "a", 1, surface="home"), row("ann", "purchase", "a", 2, session_id="s")]
    honest += [row("ann", "purchase", "b", 2, session_id="s"), row("bob", "click", "b", 3, surface="home")]
    bad = [row("mob", kind, item, 4, session_id="m") for item in "abc" for kind in ("click", "purchase")]
    with database.begin() as connection:
        shelves.announce(connection, *"abc")
        experiments.start(connection, HALVES)
        connection.execute(text("UPDATE experiments SET started_at = :at"), {"at": NOW})
        write(connection, honest)
        before = others_see(connection)
        write(connection, bad)
        after = others_see(connection)
        assert {name for name in before if before[name] == after[name]} == set()
        assert actors.flag(connection, suspect("mob"), by="test") == ["mob"]
        marked = {tuple(found) for found in connection.execute(text("SELECT kind, key FROM due WHERE key <> 'ann'"))}
        assert {("actor", "mob"), ("basket", "a"), ("basket", "c")} <= marked
        defended = others_see(connection)
        # The newest event, whoever did it, is what all are as old against.
        assert defended.pop("popular") == pytest.approx(before.pop("popular"), rel=1e-5)
        assert defended == before
        assert connection.execute(text("SELECT count(*) FROM events WHERE shopper = 'mob'")).scalar() == 6
        actors.clear(connection, ["mob", "nobody"], by="test")
        assert others_see(connection) == after


def test_one_shopper_makes_an_item_no_more_popular_than_one_purchase(database: Engine) -> None:
    with database.begin() as connection:
        shelves.announce(connection, *"ab")
        write(connection, [row("mob", "click", "a", n) for n in range(100)])
        write(connection, [row(f"u{n}", "click", "b", 99) for n in range(4)])
        assert popular(connection) == pytest.approx({"b": 4.0, "a": 3.0}, rel=1e-3)


def test_popular_shelves_are_due_once_somebody_is_flagged(database: Engine) -> None:
    with database.begin() as connection:
        shelves.announce(connection, "a", "b")
        write(connection, [row("ann", "click", "a", 1), row("mob", "click", "b", 1)])
        popular(connection)
        rested = text(
            """UPDATE watermarks SET value = jsonb_set(value::jsonb, '{ended}', '0') WHERE name = 'popularity'"""
        )
        connection.execute(rested)
        assert not popularity.refresh(connection, WEIGHTS, DECAY, depth=10)
        actors.flag(connection, suspect("mob"), by="test")
        assert popularity.refresh(connection, WEIGHTS, DECAY, depth=10)


def test_who_was_cleared_is_spared_by_the_detector_for_the_same_reason(database: Engine) -> None:
    with database.begin() as connection:
        assert actors.flag(connection, suspect("mob", "bob"), by=actors.DETECTOR) == ["bob", "mob"]
        assert actors.flag(connection, suspect("mob"), by=actors.DETECTOR) == []  # is flagged
        assert actors.clear(connection, ["mob", "bob"], by="test") == ["bob", "mob"]
        assert actors.clear(connection, ["mob"], by="test") == []
        assert actors.flag(connection, suspect("mob"), by=actors.DETECTOR) == []
        assert actors.flag(connection, suspect("mob", reason="velocity"), by=actors.DETECTOR) == ["mob"]
        assert actors.flag(connection, suspect("bob"), by="command") == ["bob"]
        actors.clear(connection, ["bob"], by="test")
        connection.execute(text("UPDATE actors SET spared_until = now() - interval '1 second'"))
        assert actors.flag(connection, suspect("bob"), by=actors.DETECTOR) == ["bob"]
        assert actors.flagged_of(connection, ["ann", "bob", "mob"]) == {"bob", "mob"}
        found = actors.named(connection, "bob")
    assert found is not None
    assert (found.flagged_by, found.cleared_by, found.events, found.changes) == ("detector", "test", 0, 5)


def test_a_basket_shelf_that_only_a_flagged_actor_made_is_deleted(database: Engine) -> None:
    with database.begin() as connection:
        shelves.announce(connection, *"ab")
        write(connection, [row("mob", "purchase", item, 1, session_id="m") for item in "ab"])

    def refreshed() -> list[str]:
        with database.begin() as connection:
            claims = due.claim(connection, due.BASKET, limit=10, lease=30)
        counted_shelves.refresh_baskets(database, claims)
        with database.connect() as connection:
            query = text("SELECT owner FROM rankings WHERE surface = 'bought_together' ORDER BY owner")
            return list(connection.execute(query).scalars())

    assert refreshed() == ["a", "b"]
    with database.begin() as connection:
        actors.flag(connection, suspect("mob"), by="test")
    assert refreshed() == []


class Counted:
    """A database in which a version serves that counts what shoppers do."""

    def __init__(self, database: Engine) -> None:
        self.database = database
        with database.begin() as connection:
            shelves.announce(connection, *"abcq")
            models.register(connection, VERSION, config={}, metrics={}, learnt_through=NOW)
            models.switch(connection, VERSION)

    def happens(self, *rows: dict[str, Any]) -> None:
        """Write events and refresh who did something, one after the other."""
        for one in rows:
            with self.database.begin() as connection:
                write(connection, [one])
            self.refresh()

    def refresh(self) -> None:
        serving = cast(Any, Serving(self.database, VERSION, Fixed("a", "b", "c")))
        with self.database.begin() as connection:
            claims = due.claim(connection, due.SHOPPER, limit=10, lease=30)
        if claims:
            refresh.shoppers(self.database, serving, Settings(), claims)

    def moved(self) -> list[str]:
        """Recount what is due, and return whose shelf that makes due."""
        with self.database.begin() as connection:
            claims = due.claim(connection, due.ACTOR, limit=10, lease=30)
        recounting.recount(self.database, claims)
        with self.database.connect() as connection:
            query = text("SELECT key FROM due WHERE kind = 'shopper' AND later ORDER BY key")
            return list(connection.execute(query).scalars())

    def counts(self) -> dict[tuple[str, str], float]:
        with self.database.connect() as connection:
            rows = connection.execute(text("SELECT from_item, to_item, count FROM transitions WHERE count <> 0"))
            return {(before, after): count for before, after, count in rows}


@pytest.fixture
def counted(database: Engine) -> Counted:
    return Counted(database)


def visit(shopper: str, items: str, seconds: float = 0) -> list[dict[str, Any]]:
    kinds = ("click", "purchase", "dismiss", "impression", "view")
    return [row(shopper, kinds[n % 5], item, seconds + n + 1) for n, item in enumerate(items)]


def test_transitions_of_a_flagged_actor_are_taken_back_and_come_back(counted: Counted) -> None:
    """Before the training, after it, and while flagged: each event once, and those of others untouched."""
    counted.happens(*visit("ann", "xy", -9), *visit("ann", "abcabcab"), *visit("bob", "cabd"))
    honest = counted.counts()
    assert ("x", "a") in honest
    counted.happens(*visit("mob", "ab", -5), *visit("mob", "abzabzabz"))
    attacked = counted.counts()
    assert attacked != honest
    with counted.database.begin() as connection:
        actors.flag(connection, suspect("mob"), by="test")
    assert counted.moved() == ["ann", "bob", "mob"]
    assert counted.counts() == pytest.approx(honest)
    counted.happens(*visit("mob", "abz", 60))
    assert counted.counts() == pytest.approx(honest)
    counted.happens(*visit("bob", "bz", 60))
    honest = counted.counts()
    with counted.database.begin() as connection:
        actors.clear(connection, ["mob"], by="test")
    counted.moved()
    cleared = counted.counts()
    assert cleared["a", "b"] > attacked["a", "b"]  # with what happened meanwhile
    with counted.database.begin() as connection:
        actors.flag(connection, suspect("mob", reason="again"), by="test")
    counted.moved()
    assert counted.counts() == pytest.approx(honest)


def test_cleared_is_as_if_never_flagged(counted: Counted) -> None:
    counted.happens(*visit("ann", "abcab"), *visit("mob", "abzab"))
    before = counted.counts()
    with counted.database.begin() as connection:
        actors.flag(connection, suspect("mob"), by="test")
    counted.moved()
    assert counted.counts() != pytest.approx(before)
    with counted.database.begin() as connection:
        actors.clear(connection, ["mob"], by="test")
    counted.moved()
    assert counted.counts() == pytest.approx(before)


def test_a_recount_waits_for_who_counts_and_shelves_elsewhere_stay(counted: Counted) -> None:
    counted.happens(*visit("ann", "abc"), *visit("mob", "ab"))
    with counted.database.begin() as connection:
        shelves.write(connection, "far", ["q"], version=VERSION, through=NOW, mark=9)
        actors.flag(connection, suspect("mob"), by="test")
    with counted.database.connect() as counting:
        assert models.hold(counting, VERSION) is not None
        with counted.database.begin() as connection:
            claims = due.claim(connection, due.ACTOR, limit=10, lease=30)
            connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                models.locked(connection)
    recounting.recount(counted.database, claims)
    with counted.database.connect() as connection:
        assert "far" not in connection.execute(text("SELECT key FROM due WHERE later")).scalars().all()


def farm(connection: Connection) -> None:
    """Sixty who bought before and browse, and twenty newcomers who all want the same five things."""
    old, late = -20 * DAY, -2 * DAY
    rows = []
    for n in range(60):
        rows.append(row(f"u{n}", "purchase", f"i{n % 30}", old))
        rows += [row(f"u{n}", "click", f"i{(n * k) % 30}", late + 400 * k + n * n) for k in range(1, 6)]
    for n in range(20):
        rows += [row(f"mob{n}", "click", f"t{k}", late + (n + 3) * 61 * k * k + n) for k in range(5)]
    write(connection, rows)


def test_a_look_flags_a_farm_once_and_only_after_something_came_in(database: Engine) -> None:
    settings = Settings()
    with database.begin() as connection:
        farm(connection)
    found = watch.look(database, settings)
    assert found is not None
    assert found.flagged == sorted(f"mob{n}" for n in range(20))
    assert found.alerts == ["20 actors were flagged within a day, 80 were active"]
    with database.begin() as connection:
        row_of = actors.named(connection, "mob7")
        assert row_of is not None
        assert (row_of.reasons, row_of.events) == (["lockstep"], 5)
        assert row_of.detail.startswith("in lockstep with 19 others on 5 items that regulars leave alone, such as t")
        assert actors.summary(connection).flagged == 20
        connection.execute(
            text("UPDATE watermarks SET value = jsonb_set(value::jsonb, '{ended}', '0') WHERE name = 'actors'")
        )
    assert watch.look(database, settings) is None
    with database.begin() as connection:
        actors.clear(connection, ["mob7"], by="test")
        write(connection, [row("mob7", "click", "t0", -9), row("mob20", "click", "i1", -9)])
        write(connection, [row("mob20", "click", f"t{k}", -8 + k) for k in range(5)])
    again = watch.look(database, settings)
    assert again is not None
    assert again.flagged == ["mob20"]


def test_a_look_at_nothing_finds_nothing_and_can_be_turned_off(database: Engine) -> None:
    assert watch.look(database, Settings(actors_window_hours=0)) is None
    assert watch.look(database, Settings()) == ([], 0, [])


def test_the_window_is_bounded_by_the_number_of_events(database: Engine) -> None:
    with database.begin() as connection:
        write(connection, [row("ann", "click", "a", -n * 60) for n in range(100)])
        span = actors.window(connection, hours=1, most=1000)
        short = actors.window(connection, hours=1, most=10)
        assert span is not None
        assert short is not None
        assert (span.until - span.since, short.until - short.since) == (timedelta(hours=1), timedelta(minutes=10))
        lines = b"".join(bytes(part) for part in actors.acts_csv(connection, short)).splitlines()
        assert len(lines) == 1 + 10
