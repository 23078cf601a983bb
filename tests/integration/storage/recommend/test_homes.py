"""Homes: shelves arrive as they were ranked, the newest stands, and a reason goes to the shelf it was found for."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, text

from storage.bots import actors
from storage.bots.actors import Suspicion
from storage.recommend import homes
from storage.recommend.homes import Home, Reasons
from tests.support import shelves

THROUGH = datetime(2026, 5, 20, 12, 30, 15, 123456, tzinfo=UTC)


def home(owner: str, *item_nos: int, mark: int = 0, through: datetime | None = THROUGH) -> Home:
    """Return a shelf with the scores 0, 1/7, 2/7, … of which none is a round number."""
    scores_N = np.arange(len(item_nos), dtype=np.float32) / np.float32(7)
    return Home(owner, np.array(item_nos, np.int32), scores_N, "m", through, mark)


def written(connection: Connection) -> dict[str, tuple[list[int], list[float]]]:
    rows = connection.execute(text("SELECT owner, item_nos, scores FROM rankings WHERE surface = 'home'"))
    return {row.owner: (row.item_nos, row.scores) for row in rows}


def test_shelves_of_every_length_come_back_as_they_were(database: Engine) -> None:
    given = [home("z", *range(100, 400)), home("empty"), home("a", 7), home("é", 2**31 - 1, 3, 3), home("none")]
    with database.begin() as connection:
        homes.write(connection, [], counted_by=None)
        homes.write(connection, given, counted_by="live")
        found = written(connection)
        columns = "model_version, counted_by, through, mark, because_nos, because_kinds"
        others = connection.execute(text(f"SELECT DISTINCT {columns} FROM rankings")).all()
    assert set(found) == {one.owner for one in given}
    for one in given:
        item_nos, scores = found[one.owner]
        assert item_nos == one.item_nos_N.tolist()
        assert np.array(scores, np.float32).tobytes() == one.scores_N.tobytes()
    assert [tuple(row) for row in others] == [("m", "live", THROUGH, 0, None, None)]


def test_an_older_result_does_not_replace_a_newer(database: Engine) -> None:
    with database.begin() as connection:
        for mark, item_no in ((5, 1), (4, 2), (5, 3)):
            homes.write(connection, [home("u", item_no, mark=mark)], counted_by=None)
        assert written(connection)["u"][0] == [3]


def test_reasons_come_back_as_they_were_and_go_with_their_shelf(database: Engine) -> None:
    columns = text("SELECT because_nos, because_kinds FROM rankings")
    with database.begin() as connection:
        homes.write(connection, [home("u", 1, 2, 3, mark=1)], counted_by=None)
        homes.explain(connection, [])
        homes.explain(connection, [Reasons("u", 1, None, [9, None], ["view", None])])
        assert [tuple(row) for row in connection.execute(columns)] == [([9, None], ["view", None])]
        homes.write(connection, [home("u", 1, mark=2)], counted_by=None)
        assert [tuple(row) for row in connection.execute(columns)] == [(None, None)]


def test_only_the_shelf_that_reasons_were_found_for_gets_them(database: Engine) -> None:
    def explained() -> set[str]:
        with database.connect() as connection:
            return set(connection.execute(text("SELECT owner FROM rankings WHERE because_kinds IS NOT NULL")).scalars())

    owners = ["newer", "rewritten", "same"]
    with database.begin() as connection:
        homes.write(connection, [home(owner, 1, 2, mark=4) for owner in owners], counted_by=None)
        found = homes.to_explain(connection, owners, first=1, rest=0.0)
    with database.begin() as connection:
        homes.write(connection, [home("newer", 3, mark=5)], counted_by=None)  # by an event
        homes.write(connection, [home("rewritten", 3, mark=4)], counted_by=None)  # by another version
    with database.begin() as connection:
        reasons = [Reasons(one, found[one].mark, found[one].generated_at, [9], ["view"]) for one in owners]
        homes.explain(connection, [*reasons, Reasons("nobody", 1, None, [9], ["view"])])
    assert explained() == {"same"}


def test_what_is_to_be_explained_is_told_with_its_first_items(database: Engine) -> None:
    with database.begin() as connection:
        homes.write(connection, [home(owner, 5, 6, 7, mark=3) for owner in ("old", "fresh", "done")], counted_by=None)
        connection.execute(
            text("UPDATE rankings SET generated_at = now() - interval '3 seconds' WHERE owner <> 'fresh'")
        )
        homes.explain(connection, [Reasons("done", 3, None, [None], [None])])
        shelves.write(connection, "old", [], surface="similar")
        found = homes.to_explain(connection, ["old", "fresh", "done", "nobody"], first=2, rest=2.0)
    assert set(found) == {"old", "fresh", "done"}
    assert (found["old"].item_nos, found["old"].model_version) == ([5, 6], "m")
    assert (found["old"].through, found["old"].mark) == (THROUGH, 3)
    assert {owner: (one.is_fresh, one.is_explained) for owner, one in found.items()} == {
        "old": (False, False),
        "fresh": (True, False),
        "done": (False, True),
    }


def test_what_stands_is_told_and_held(database: Engine) -> None:
    with database.begin() as connection:
        homes.write(connection, [home("old", 1, mark=7)], counted_by="live")
        actors.flag(connection, [Suspicion("bad", ["lockstep"], "seen")], by="test")
        actors.flag(connection, [Suspicion("good", ["lockstep"], "seen")], by="test")
        actors.clear(connection, ["good"], by="test")
    with database.connect() as one, database.connect() as two:
        found = homes.standing(one, ["new", "old", "bad", "good"])
        assert (found["old"].counted_by, found["old"].through, found["old"].mark) == ("live", THROUGH, 7)
        assert (found["new"].counted_by, found["new"].through, found["new"].mark) == (None, None, 0)
        assert {owner for owner, standing in found.items() if standing.flagged} == {"bad"}
        two.execute(text("SET lock_timeout = '100ms'"))
        two.commit()
        for owner in ("new", "old"):
            with pytest.raises(Exception, match="lock timeout"):
                homes.standing(two, [owner])
            two.rollback()
        actors.clear(two, ["bad"], by="test")  # who is flagged is read, and held by nobody


def test_who_explains_and_who_ranks_wait_for_each_other_and_never_deadlock(database: Engine) -> None:
    owners = [f"s{n:03}" for n in range(200)]
    with database.begin() as connection:
        homes.write(connection, [home(owner, 1) for owner in owners], counted_by=None)
    failures: list[BaseException] = []
    end = threading.Event()

    def rank() -> None:
        try:
            while not end.is_set():
                with database.begin() as connection:
                    homes.standing(connection, owners)
                    homes.write(connection, [home(owner, 1) for owner in owners], counted_by=None)
        except BaseException as error:  # noqa: BLE001  told to the test
            failures.append(error)

    thread = threading.Thread(target=rank)
    thread.start()
    try:
        for _ in range(100):
            with database.begin() as connection:  # in the order in which they became due
                homes.explain(connection, [Reasons(owner, 0, None, [9], ["view"]) for owner in owners[::-1]])
    finally:
        end.set()
        thread.join()
    assert failures == []
