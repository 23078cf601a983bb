"""Working through what is due: what happened first, what can wait in small batches, and what failed in its turn."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, text

from storage import due
from storage.due import Claim
from workers.runtime import claims
from workers.settings import Settings


def _mark(database: Engine, *keys: str) -> None:
    with database.begin() as connection:
        due.mark(connection, due.SHOPPER, keys)


def test_what_can_wait_comes_last_and_in_small_batches(database: Engine) -> None:
    _mark(database, *(f"waits-{n}" for n in range(20)))
    with database.begin() as connection:
        connection.execute(text("UPDATE due SET later = true"))
    _mark(database, "now-1", "now-2")
    batches: list[tuple[int, set[bool]]] = []

    def work(taken: Sequence[Claim]) -> None:
        batches.append((len(taken), {claim.later for claim in taken}))
        with database.begin() as connection:
            due.clear(connection, due.SHOPPER, taken)

    while not claims.drain(database, due.SHOPPER, work, Settings(), most_later=8):
        pass
    assert batches == [(2, {False}), (8, {True}), (8, {True}), (4, {True})]


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
