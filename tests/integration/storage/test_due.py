"""Due marks on a real database: nothing is lost, nothing is done twice at once, a bad row is found and buried."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, TextClause, select, text

from storage import dead_letters, due
from storage.due import Claim
from storage.tables import dead_letters as letters


def _mark(database: Engine, *keys: str) -> None:
    with database.begin() as connection:
        due.mark(connection, due.SHOPPER, keys)


def _claim(database: Engine, limit: int = 10, lease: float = 30) -> list[Claim]:
    with database.begin() as connection:
        return due.claim(connection, due.SHOPPER, limit=limit, lease=lease)


def _retry(database: Engine) -> list[str]:
    with database.begin() as connection:
        claims = due.claim_retry(connection, due.SHOPPER, lease=30, max_attempts=5)
    return [claim.key for claim in claims]


def _clear(database: Engine, claims: list[Claim]) -> None:
    with database.begin() as connection:
        due.clear(connection, due.SHOPPER, claims)


def _left(database: Engine) -> dict[str, int]:
    with database.connect() as connection:
        return {row.key: row.attempts for row in connection.execute(text("SELECT key, attempts FROM due"))}


def test_a_claimed_row_is_nobody_elses_and_goes_when_cleared(database: Engine) -> None:
    _mark(database, "a", "b", "c")
    first, second = _claim(database, limit=2), _claim(database, limit=2)
    assert [len(first), len(second)] == [2, 1]
    assert _claim(database) == []
    _clear(database, first + second)
    assert _left(database) == {}


def test_a_row_marked_while_being_worked_on_stays_due(database: Engine) -> None:
    _mark(database, "a", "b")
    claims = _claim(database)
    _mark(database, "a")
    _clear(database, claims)
    assert _left(database) == {"a": 0}
    assert [claim.key for claim in _claim(database)] == ["a"]


def test_a_claim_ends_with_its_lease(database: Engine) -> None:
    _mark(database, "a")
    _claim(database, lease=0)
    assert _claim(database) == []  # tried before, so it is not taken along with others
    assert _retry(database) == ["a"]
    assert _retry(database) == []


def test_rows_that_failed_are_tried_one_by_one_and_buried_in_the_end(database: Engine) -> None:
    _mark(database, "bad", "good")
    with database.begin() as connection:
        due.release(connection, due.SHOPPER, due.claim(connection, due.SHOPPER, limit=10, lease=30))
    for _ in range(5):
        with database.begin() as connection:
            for claim in due.claim_retry(connection, due.SHOPPER, lease=0, max_attempts=5):
                if claim.key == "good":
                    due.clear(connection, due.SHOPPER, [claim])
    assert _left(database) == {"bad": 5}
    with database.begin() as connection:
        assert due.bury(connection, max_attempts=5) == 1
        assert dead_letters.count(connection) == {due.SHOPPER: 1}
        assert connection.execute(select(letters.c.key, letters.c.attempts)).one() == ("bad", 5)
    assert _left(database) == {}


def test_summary_counts_what_nobody_works_on_now_and_later(database: Engine) -> None:
    _mark(database, "a", "b", "c")
    with database.begin() as connection:
        due.mark_later(connection, due.SHOPPER, ["a", "d", "e", "f", "g"])
        due.claim(connection, due.SHOPPER, limit=1, lease=30, later=False)
        due.claim(connection, due.SHOPPER, limit=1, lease=30, later=True)
    with database.connect() as connection:
        [backlog] = due.summary(connection)
    assert (backlog.kind, backlog.count, backlog.claimable, backlog.claimable_later) == (due.SHOPPER, 7, 2, 3)
    assert backlog.oldest_seconds >= 0


def test_what_is_due_from_a_time_ahead_has_not_waited(database: Engine) -> None:
    _mark(database, "a")
    with database.begin() as connection:
        connection.execute(text("UPDATE due SET since = now() + interval '1 hour'"))
        [backlog] = due.summary(connection)
    assert (backlog.claimable, backlog.oldest_seconds) == (1, 0.0)
    assert [claim.key for claim in _claim(database)] == ["a"]


def test_each_of_two_processes_claims_its_own(database: Engine) -> None:
    """What happened is one's, what can wait the other's; who asks for both gets what happened first."""
    _mark(database, "now", "both")
    with database.begin() as connection:
        due.mark_later(connection, due.SHOPPER, ["waits", "both"])

    def keys(later: bool | None) -> list[tuple[str, bool]]:
        with database.connect() as connection:  # rolled back
            claims = due.claim(connection, due.SHOPPER, limit=10, lease=30, later=later)
            assert due.claim_retry(connection, due.SHOPPER, lease=30, max_attempts=5, later=later) == []
        return sorted((claim.key, claim.later) for claim in claims)

    assert keys(False) == [("both", False), ("now", False)]
    assert keys(True) == [("waits", True)]
    assert keys(None) == [("both", False), ("now", False), ("waits", True)]
    _claim(database, lease=0)

    def tried(later: bool | None) -> set[str]:
        with database.connect() as connection:
            found = (due.claim_retry(connection, due.SHOPPER, lease=30, max_attempts=5, later=later) for _ in "abcd")
            return {claim.key for claims in found for claim in claims}

    assert (tried(False), tried(True), tried(None)) == ({"now", "both"}, {"waits"}, {"now", "both", "waits"})


def test_what_can_wait_is_marked_anew_while_it_is_worked_on(database: Engine) -> None:
    with database.begin() as connection:
        due.mark_later(connection, due.SHOPPER, ["a"])
    claims = _claim(database)
    with database.begin() as connection:
        due.mark_later(connection, due.SHOPPER, ["a"])
    _clear(database, claims)
    assert [(claim.key, claim.later) for claim in _claim(database)] == [("a", True)]


def test_what_has_not_rested_is_left(database: Engine) -> None:
    _mark(database, "old", "new")
    with database.begin() as connection:
        connection.execute(text("UPDATE due SET since = now() - interval '3 seconds' WHERE key = 'old'"))
        claims = due.claim(connection, due.SHOPPER, limit=10, lease=30, rest=2.0)
        assert [claim.key for claim in claims] == ["old"]
        due.delay(connection, due.SHOPPER, claims)
        assert due.claim(connection, due.SHOPPER, limit=10, lease=30, rest=2.0) == []
    assert _left(database) == {"new": 0, "old": 0}  # as if never tried
    assert {claim.key for claim in _claim(database)} == {"new", "old"}


def test_who_clicks_again_and_again_stays_in_their_place_to_be_explained(database: Engine) -> None:
    def marks() -> dict[str, tuple[int, float]]:
        with database.connect() as connection:
            return {row.key: (row.mark, row.since) for row in connection.execute(text("SELECT * FROM due"))}

    with database.begin() as connection:
        due.mark_reasons(connection, ["b", "a"])
    before = marks()
    with database.begin() as connection:
        due.mark_reasons(connection, ["b", "a", "c"])
    assert {key: marks()[key] for key in "ab"} == before
    assert set(marks()) == set("abc")


def test_a_shelf_that_is_written_while_it_is_explained_is_explained_again(database: Engine) -> None:
    with database.begin() as connection:
        due.mark_reasons(connection, ["a"])
    with database.begin() as connection:
        claims = due.claim(connection, due.REASON, limit=10, lease=30)
    with database.begin() as connection:
        due.mark_reasons(connection, ["a"])
    with database.begin() as connection:
        due.clear(connection, due.REASON, claims)
    assert _left(database) == {"a": 0}
    with database.begin() as connection:
        assert [claim.key for claim in due.claim(connection, due.REASON, limit=10, lease=30)] == ["a"]


def test_what_waits_for_a_model_lets_everything_else_go_first(database: Engine) -> None:
    _mark(database, "waits", "waits-and-happens")
    with database.begin() as connection:
        due.postpone(connection, due.SHOPPER, due.claim(connection, due.SHOPPER, limit=10, lease=30))
    assert _left(database) == {"waits": 0, "waits-and-happens": 0}
    _mark(database, "fresh", "waits-and-happens")
    with database.begin() as connection:
        taken = due.claim(connection, due.SHOPPER, limit=10, lease=0, later=False)
    assert {claim.key for claim in taken} == {"fresh", "waits-and-happens"}
    _mark(database, "fresher")
    assert [(claim.key, claim.later) for claim in _claim(database, limit=1)] == [("fresher", False)]
    assert [(claim.key, claim.later) for claim in _claim(database, lease=0)] == [("waits", True)]
    with database.begin() as connection:
        tried = due.claim_retry(connection, due.SHOPPER, lease=30, max_attempts=5, later=False)
        assert tried[0].key != "waits"


def test_what_was_marked_meanwhile_is_not_postponed(database: Engine) -> None:
    _mark(database, "a")
    claims = _claim(database)
    _mark(database, "a")
    with database.begin() as connection:
        due.postpone(connection, due.SHOPPER, claims)
        assert [claim.key for claim in due.claim(connection, due.SHOPPER, limit=1, lease=1, later=False)] == ["a"]


def test_of_questions_the_newest_are_claimed_first(database: Engine) -> None:
    for key in ("a", "b", "c"):
        with database.begin() as connection:
            due.mark(connection, due.QUERY, [key])
    with database.begin() as connection:
        claims = due.claim(connection, due.QUERY, limit=2, lease=30)
    assert sorted(claim.key for claim in claims) == ["b", "c"]


@pytest.mark.parametrize("finish", [due.clear, due.postpone, due.release, due.delay])
def test_who_is_done_and_who_marks_wait_for_each_other_and_never_deadlock(
    database: Engine, finish: Callable[[Connection, str, list[Claim]], None]
) -> None:
    keys = [f"s{n:03}" for n in range(200)]
    _mark(database, *keys)
    failures: list[BaseException] = []
    end = threading.Event()

    def mark() -> None:
        try:
            while not end.is_set():
                _mark(database, *keys)
        except BaseException as error:  # noqa: BLE001  told to the test
            failures.append(error)

    thread = threading.Thread(target=mark)
    thread.start()
    try:
        for _ in range(100):
            claims = _claim(database, limit=200)
            with database.begin() as connection:
                finish(connection, due.SHOPPER, claims[::-1])
    finally:
        end.set()
        thread.join()
    assert failures == []


def test_who_explains_and_who_writes_the_next_shelves_never_deadlock(database: Engine) -> None:
    keys = [f"s{n:03}" for n in range(200)]
    failures: list[BaseException] = []
    end = threading.Event()

    def mark() -> None:
        try:
            while not end.is_set():
                with database.begin() as connection:
                    due.mark_reasons(connection, keys)
        except BaseException as error:  # noqa: BLE001  told to the test
            failures.append(error)

    thread = threading.Thread(target=mark)
    thread.start()
    try:
        for _ in range(100):
            with database.begin() as connection:
                claims = due.claim(connection, due.REASON, limit=200, lease=0.01)
            with database.begin() as connection:  # as `workers.recommend.reasons.explain` does
                due.lock(connection, due.REASON, claims)
                due.delay(connection, due.REASON, claims[1::2])
                due.clear(connection, due.REASON, claims[::2])
            with database.begin() as connection:
                connection.execute(text("UPDATE due SET attempts = 0 WHERE attempts > 0 AND claimed_until < now()"))
    finally:
        end.set()
        thread.join()
    assert failures == []


@pytest.mark.parametrize("statement", [due._CLAIM, due._CLAIM_RESTED, due._CLAIM_TRIED])
@pytest.mark.parametrize("later", [False, True, None])
def test_a_claim_walks_an_index_in_order_however_much_is_due(
    database: Engine, statement: TextClause, later: bool | None
) -> None:
    _mark(database, *(f"s{n}" for n in range(3_000)))
    with database.begin() as connection:
        connection.execute(text("UPDATE due SET attempts = 1 WHERE key < 's2'"))
        connection.execute(text("UPDATE due SET later = true WHERE key LIKE '%5'"))
    parameters = {"kind": due.SHOPPER, "limit": 8, "lease": 20, "most_attempts": 4, "rest": 2.0} | due._when(later)
    with database.begin() as connection:
        plan = "\n".join(connection.execute(text(f"EXPLAIN {statement.text}"), parameters).scalars())
    assert "Index Scan using due_untried" in plan or "Index Scan using due_tried" in plan
    assert "Sort" not in plan


def test_who_waits_longest_is_the_first_row_of_an_index(database: Engine) -> None:
    _mark(database, *(f"s{n}" for n in range(3_000)))
    with database.begin() as connection:
        connection.execute(text("UPDATE due SET since = now() - interval '1 minute' WHERE key = 's7'"))
        connection.execute(text("UPDATE due SET since = now() - interval '2 minutes', later = true WHERE key = 's8'"))
    with database.begin() as connection:
        assert 60 <= due.longest_wait(connection) < 90
        plan = "\n".join(connection.execute(text(f"EXPLAIN {due._LONGEST_WAIT.text}")).scalars())
    assert "Index Only Scan using due_untried" in plan or "Index Scan using due_untried" in plan
    assert "Sort" not in plan


def test_nobody_waits_where_all_is_done_or_can_wait(database: Engine) -> None:
    with database.begin() as connection:
        due.mark_later(connection, due.SHOPPER, ["s1"])
        assert due.longest_wait(connection) == 0
