"""Working through what is due: what happened first, what can wait in small batches, and what failed in its turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, text

from storage import due
from storage.due import Claim
from workers.runtime import claims
from workers.settings import Settings


def _mark(database: Engine, *keys: str) -> None:
    with database.begin() as connection:
        due.mark(connection, due.SHOPPER, keys)


class Batches:
    """Work that succeeds, and remembers how large each batch was, and whether it could wait."""

    def __init__(self, database: Engine, kind: str = due.SHOPPER) -> None:
        self.database, self.kind = database, kind
        self.seen: list[tuple[int, set[bool]]] = []

    def __call__(self, taken: Sequence[Claim]) -> None:
        self.seen.append((len(taken), {claim.later for claim in taken}))
        with self.database.begin() as connection:
            due.clear(connection, self.kind, taken)


@pytest.fixture
def batches(database: Engine) -> Batches:
    """Work on two rows of what happened, and on twenty that can wait."""
    _mark(database, "now-1", "now-2")
    with database.begin() as connection:
        due.mark_later(connection, due.SHOPPER, [f"waits-{n}" for n in range(20)])
    return Batches(database)


def drained(database: Engine, batches: Batches, **options: Any) -> list[tuple[int, set[bool]]]:
    while not claims.drain(database, due.SHOPPER, batches, Settings(background_share=1.0), **options):
        pass
    return batches.seen


def test_what_can_wait_comes_last_where_one_process_does_both(database: Engine, batches: Batches) -> None:
    assert drained(database, batches, most=8) == [(8, {False, True}), (8, {True}), (6, {True})]


def test_what_happened_is_one_processs_and_what_can_wait_anothers(database: Engine, batches: Batches) -> None:
    assert drained(database, batches, later=False) == [(2, {False})]
    assert drained(database, batches, later=True, most=8)[1:] == [(8, {True}), (8, {True}), (4, {True})]


def test_a_batch_that_could_wait_is_rested_after_and_one_that_somebody_waits_for_is_not(
    database: Engine, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    monkeypatch.setattr(claims.time, "sleep", rests.append)
    settings = Settings(background_share=0.5)
    assert claims.drain(database, due.SHOPPER, batches, settings, later=False)
    assert rests == []
    assert claims.drain(database, due.SHOPPER, batches, settings, later=True)
    assert len(rests) == len(batches.seen) - 1
    with database.begin() as connection:
        due.mark_reasons(connection, ["ann"])
    rests.clear()
    assert claims.drain(database, due.REASON, Batches(database, due.REASON), settings)
    assert len(rests) == 1


def test_what_was_due_a_moment_ago_is_left_to_rest(database: Engine) -> None:
    _mark(database, "old", "new")
    with database.begin() as connection:
        connection.execute(text("UPDATE due SET since = now() - interval '3 seconds' WHERE key = 'old'"))
    work = Batches(database)
    assert claims.drain(database, due.SHOPPER, work, Settings(), rest=2.0)
    assert work.seen == [(1, {False})]


def test_what_failed_is_tried_again_only_by_who_asks_for_it(database: Engine) -> None:
    """A task looks many times for what is due; what failed has its turn at the end."""
    _mark(database, "a", "b")
    taken: list[list[str]] = []

    def fails(batch: Sequence[Claim]) -> None:
        taken.append(sorted(claim.key for claim in batch))
        raise ZeroDivisionError

    assert not claims.drain(database, due.SHOPPER, fails, Settings(), retry=False)
    assert claims.drain(database, due.SHOPPER, fails, Settings(), retry=False)  # nothing that was not tried
    assert taken == [["a", "b"]]
    work = Batches(database)
    while not claims.drain(database, due.SHOPPER, work, Settings()):
        pass
    assert work.seen == [(1, {False}), (1, {False})]


def test_what_failed_once_has_its_turn_however_much_comes(database: Engine) -> None:
    _mark(database, "failed")
    with database.begin() as connection:
        due.release(connection, due.SHOPPER, due.claim(connection, due.SHOPPER, limit=1, lease=30))
    done: list[str] = []

    def work(taken: Sequence[Claim]) -> None:
        done.extend(claim.key for claim in taken)
        with database.begin() as connection:
            due.clear(connection, due.SHOPPER, taken)
        _mark(database, f"fresh-{len(done)}")

    _mark(database, "fresh-0")
    assert not claims.drain(database, due.SHOPPER, work, Settings())  # there is always more
    assert done.index("failed") == len(done) - 1 > 0
