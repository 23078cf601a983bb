"""Counted transitions: added up, followed without missing one, and never in each other's way."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from storage.recommend import transitions
from storage.registry import models

VERSION = "recommend-20260101T000000-abcdef"
THROUGH = datetime(2026, 5, 20, tzinfo=UTC)


def test_counts_add_up_and_are_read_once_they_changed(database: Engine) -> None:
    with database.begin() as connection:
        transitions.add(connection, {("a", "b"): 1.0, ("a", "c"): 0.5, ("z", "a"): 0.25})
    with database.connect() as connection:
        first = transitions.changed_since(connection, 0)
    assert sorted(first.rows) == [("a", "b", 1.0), ("a", "c", 0.5), ("z", "a", 0.25)]
    with database.begin() as connection:
        transitions.add(connection, {})
        transitions.add(connection, {("a", "b"): 0.5, ("b", "b"): 0.25})
    with database.connect() as connection:
        second = transitions.changed_since(connection, first.horizon)
        assert sorted(second.rows) == [("a", "b", 1.5), ("b", "b", 0.25)]
        assert transitions.changed_since(connection, second.horizon).rows == []
    with database.begin() as connection:
        transitions.clear(connection)
        assert transitions.changed_since(connection, 0).rows == []


def test_a_count_that_commits_late_is_not_missed(database: Engine) -> None:
    with database.connect() as slow, database.connect() as reader:
        transitions.add(slow, {("slow", "x"): 1.0})
        with database.begin() as quick:
            transitions.add(quick, {("quick", "x"): 1.0})
        first = transitions.changed_since(reader, 0)
        reader.rollback()
        slow.commit()
        second = transitions.changed_since(reader, first.horizon)
    assert first.rows == [("quick", "x", 1.0)]
    assert ("slow", "x", 1.0) in second.rows


def test_two_that_add_the_same_pairs_wait_and_never_deadlock(database: Engine) -> None:
    pairs = {(f"a{n}", f"b{m}"): 1.0 for n in range(20) for m in range(20)}
    orders = [pairs, dict(reversed(pairs.items()))]
    failures: list[BaseException] = []

    def add(given: dict[tuple[str, str], float]) -> None:
        try:
            for _ in range(10):
                with database.begin() as connection:
                    transitions.add(connection, given)
        except BaseException as error:  # noqa: BLE001  told to the test
            failures.append(error)

    threads = [threading.Thread(target=add, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.connect() as connection:
        assert {count for _, _, count in transitions.changed_since(connection, 0).rows} == {20.0}


@pytest.fixture
def registered(database: Engine) -> Engine:
    """A database with a version that serves."""
    with database.begin() as connection:
        models.register(connection, VERSION, config={}, metrics={}, learnt_through=THROUGH)
        models.switch(connection, VERSION)
    return database


def test_the_version_that_serves_can_be_held(registered: Engine) -> None:
    with registered.connect() as one, registered.connect() as two:
        for connection in (one, two):
            live = models.hold(connection, VERSION)
            assert live is not None
            assert (live.version, live.learnt_through) == (VERSION, THROUGH)
        two.execute(text("SET lock_timeout = '100ms'"))
        two.commit()
        with pytest.raises(Exception, match="lock timeout"):  # a switch waits for those who hold
            models.switch(two, VERSION)


def test_nobody_waits_to_hold_a_version_that_is_switched(registered: Engine) -> None:
    with registered.connect() as switching, registered.connect() as other:
        models.switch(switching, VERSION)
        other.execute(text("SET lock_timeout = '100ms'"))
        assert models.hold(other, VERSION) is None
        switching.commit()
        assert models.hold(other, VERSION) is not None
        assert models.hold(other, "another") is None
