"""Reading what was written: histories, the catalogue's changes, counted shelves, retention."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from storage import retention, throttle
from storage.catalogue import items
from storage.events import histories, intake
from storage.recommend import baskets, item_vectors, popularity, rankings
from storage.recommend.popularity import Decay
from storage.recommend.rankings import Ranking
from storage.registry import models
from tests.support import shelves
from tests.support.shelves import Shelf

NOW = datetime(2026, 5, 20, tzinfo=UTC)
DAY = 86_400.0
WEIGHTS = {"view": 1.0, "purchase": 3.0}


def _event(n: int, shopper: str, kind: str, item: str, *, days_ago: float = 0, **other: Any) -> dict[str, Any]:
    blank = dict.fromkeys(("value", "session_id", "surface", "request_id", "query"))
    row = {"event_id": f"e{n}", "shopper": shopper, "kind": kind, "item_id": item, "quantity": 1.0, "context": {}}
    return blank | row | {"at": NOW - timedelta(days=days_ago)} | other


def _announce(
    connection: Connection, *names: str, category: str | None = None, stock: int | None = None, writer: str = "w"
) -> None:
    fields = {"title": "x", "category": category, "stock": stock}
    at = NOW if stock is None else NOW + timedelta(hours=1)
    changes = [
        {"change_id": f"c-{name}-{stock}", "item_id": name, "at": at, "fields": fields, "announces": True}
        for name in names
    ]
    intake.write_changes(connection, changes, writer=writer)


def _shelf(connection: Connection, owner: str, surface: str = rankings.POPULAR) -> list[str | None] | None:
    return shelves.item_ids(connection, owner, surface)


def _write(connection: Connection, events: Iterable[dict[str, Any]]) -> None:
    intake.write_events(connection, list(events), writer="w")


def test_a_history_is_in_event_time_however_it_came(database: Engine) -> None:
    with database.begin() as connection:
        for n, days in ((1, 2), (2, 9), (3, 5), (4, 5)):
            _write(connection, [_event(n, "u", "view", f"i{n}", days_ago=days)])
        _write(connection, [_event(9, "u", "impression", "i9"), _event(8, "v", "view", "i8")])
        read = histories.read(connection, ["u", "nobody"], length=3, policy="hide_purchased")
    assert [touch.item_id for touch in read["u"].touches] == ["i3", "i4", "i1"]
    assert read["u"].through == NOW - timedelta(days=2)
    assert read["nobody"].touches == []
    assert read["nobody"].through is None


def test_the_time_of_the_last_event_is_kept_to_the_microsecond(database: Engine) -> None:
    times = {f"u{n}": NOW - timedelta(days=n, microseconds=997 * n + 1) for n in range(200)}
    with database.begin() as connection:
        _write(connection, [_event(n, who, "view", "i") | {"at": at} for n, (who, at) in enumerate(times.items())])
        read = histories.read(connection, list(times), length=3, policy="show_all")
    assert {who: history.through for who, history in read.items()} == times


@pytest.mark.parametrize(
    ("policy", "hidden"),
    [("hide_purchased", {"p", "d"}), ("hide_seen", {"p", "d", "v"}), ("show_all", {"d"})],
)
def test_each_policy_hides_what_it_says(database: Engine, policy: str, hidden: set[str]) -> None:
    with database.begin() as connection:
        kinds = (("purchase", "p"), ("dismiss", "d"), ("view", "v"), ("impression", "i"))
        _write(connection, [_event(n, "u", kind, item) for n, (kind, item) in enumerate(kinds)])
        assert histories.read(connection, ["u"], length=5, policy=policy)["u"].hidden == hidden


def test_a_change_that_commits_late_is_not_missed(database: Engine) -> None:
    with database.connect() as slow, database.connect() as reader:
        _announce(slow, "slow")
        with database.begin() as quick:
            _announce(quick, "quick", writer="another")
        first = items.changed_since(reader, 0)
        reader.rollback()
        slow.commit()
        second = items.changed_since(reader, first.horizon)
    assert [row.item_id for row in first.rows] == ["quick"]
    assert "slow" in [row.item_id for row in second.rows]


def test_popularity_decays_and_leaves_out_what_is_not_to_be_had(database: Engine) -> None:
    decay = Decay(half_life=7 * DAY, window=60 * DAY)
    with database.begin() as connection:
        _announce(connection, "old", "new", category="Toys")
        _announce(connection, "gone", category="Toys", stock=0)
        _write(connection, [_event(n, f"u{n}", "purchase", "gone") for n in range(5)])
        _write(connection, [_event(10 + n, f"u{n}", "view", "old", days_ago=30) for n in range(3)])
        _write(connection, [_event(20, "u1", "view", "new", context={"country": "FR"})])
        _write(connection, [_event(30, "u9", "view", "old", days_ago=90)])
        assert popularity.refresh(connection, WEIGHTS, decay, depth=10)
        assert _shelf(connection, rankings.EVERYONE) == ["new", "old"]
        assert _shelf(connection, "category=Toys") == ["new", "old"]
        assert _shelf(connection, "country=FR", rankings.SEGMENT) == ["new", "old"]  # all that the French u1 touched
        assert not popularity.refresh(connection, WEIGHTS, decay, depth=10)


@pytest.mark.parametrize(
    ("state", "ago", "due"), [("same", 1e9, False), ("new", 149.0, False), ("new", 151.0, True), ("new", 0.0, False)]
)
def test_work_rests_in_proportion_to_its_cost(state: str, ago: float, due: bool) -> None:
    last = throttle.Run(state="same", ended=1000.0, seconds=3.0)
    assert throttle.is_time(last, state, 1000.0 + ago) is due


def test_an_empty_shelf_is_deleted(database: Engine) -> None:
    decay = Decay(half_life=7 * DAY, window=60 * DAY)
    with database.begin() as connection:
        _announce(connection, "a", category="Toys")
        _write(connection, [_event(1, "u", "view", "a")])
        popularity.refresh(connection, WEIGHTS, decay, depth=10)
        assert _shelf(connection, "category=Toys") == ["a"]
        _announce(connection, "a", stock=0)
        _write(connection, [_event(2, "u", "view", "a")])
        connection.execute(text("UPDATE watermarks SET value = '{}'"))  # as if long ago
        popularity.refresh(connection, WEIGHTS, decay, depth=10)
        assert _shelf(connection, "category=Toys") is None


def test_bought_together_is_the_cosine_of_baskets(database: Engine) -> None:
    orders = {"b1": "xy", "b2": "xyz", "b3": "xz", "b4": "z", "b5": "zz"}
    with database.begin() as connection:
        rows = [
            _event(n * 10 + m, "u", "purchase", item, session_id=basket)
            for n, (basket, bought) in enumerate(orders.items())
            for m, item in enumerate(bought)
        ]
        _write(connection, rows)
        [found] = baskets.partners(connection, ["x", "unknown"], depth=5)
    assert found.partners == ["y", "z"]
    assert found.scores == pytest.approx([2 / (3 * 2) ** 0.5, 2 / (3 * 4) ** 0.5])


def test_an_older_result_does_not_replace_a_newer(database: Engine) -> None:
    with database.begin() as connection:
        _announce(connection, "new", "late", "same")
        for mark, name in ((5, "new"), (4, "late"), (5, "same")):
            rankings.write(connection, [Ranking("u", rankings.SIMILAR, [name], [1.0], "m", None, mark)])
        assert _shelf(connection, "u", rankings.SIMILAR) == ["same"]


def test_what_the_catalogue_does_not_know_is_left_off_a_shelf_with_its_score(database: Engine) -> None:
    with database.begin() as connection:
        _announce(connection, "c", "a")
        _announce(connection, "sold out", stock=0)
        named = ["a", "unknown", "sold out", "c", "never heard of"]
        scores = [5.0, 4.0, 3.0, 2.0, 1.0]
        written = [Ranking("u", rankings.SIMILAR, named, scores, "m", NOW, 1)]
        written.append(Ranking("v", rankings.SIMILAR, ["unknown"], [1.0], "m", None, 1))
        rankings.write(connection, written)
        assert shelves.read(connection, "u", rankings.SIMILAR) == Shelf(
            ["a", "sold out", "c"], [5.0, 3.0, 2.0], "m", NOW, None
        )
        assert _shelf(connection, "v", rankings.SIMILAR) == []


def test_vectors_come_back_as_they_were_and_go_with_their_version(database: Engine) -> None:
    old = "recommend-20260101T000000-abcdef"
    with database.begin() as connection:
        models.register(connection, old, config={}, metrics={})
        item_vectors.write(connection, old, {"a": [1.0, 2.5]})
        item_vectors.write(connection, old, {"a": [0.5, -1.0], "b": [3.0, 4.0]})
        stored = connection.execute(text("SELECT CAST(embedding AS real[]) FROM item_vectors ORDER BY item_id"))
        assert stored.scalars().all() == [[0.5, -1.0], [3.0, 4.0]]
        assert item_vectors.known(connection, ["a", "c"]) == {"a"}
        assert item_vectors.forget_past_versions(connection) == 2


def test_retention_drops_whole_months_and_forgets_their_ids(database: Engine) -> None:
    with database.begin() as connection:
        _write(connection, [_event(n, "u", "view", "i", days_ago=days) for n, days in enumerate((0, 40, 65, 200))])
        before = intake.counts(connection)
        dropped = retention.apply(connection, timedelta(days=60))
        assert intake.counts(connection) == before
        assert connection.execute(text("SELECT writer FROM intake_counts")).scalars().all() == ["past"]
        kept = connection.execute(text("SELECT event_id FROM events ORDER BY event_id")).scalars().all()
        known = connection.execute(text("SELECT event_id FROM event_ids ORDER BY event_id")).scalars().all()
    assert dropped == ["events_2025_11"]  # March holds days that are young enough
    assert kept == known == ["e0", "e1", "e2"]
