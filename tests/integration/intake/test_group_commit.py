"""Group commit on a real database: whoever waits is told the truth, and one bad message fails alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import ProgrammingError

from storage import dead_letters, intake
from storage.dead_letters import DeadLetter
from storage.tables import events
from workers.contract.doorbell import Doorbell
from workers.intake.group_commit import GroupCommit


def _row(n: int, shopper: str | None = "u") -> dict[str, Any]:
    blank = dict.fromkeys(("value", "session_id", "surface", "request_id", "query"))
    at = datetime(2026, 5, 1, tzinfo=UTC)
    given = {"event_id": f"e{n}", "shopper": shopper, "kind": "view", "item_id": "i", "quantity": 1.0, "context": {}}
    return blank | given | {"at": at}


def _written(database: Engine) -> int:
    with database.connect() as connection:
        return connection.execute(select(func.count()).select_from(events)).scalar_one()


def test_what_many_threads_bring_is_written_once_each(database: Engine, broker_url: str) -> None:
    commit = GroupCommit(database, Doorbell(broker_url), writer="w")
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: commit.write(intake.EVENTS_DOOR, [_row(n % 150)], []), range(300)))
    assert _written(database) == 150
    with database.connect() as connection:
        assert intake.counts(connection)["events"] == intake.Counts(150, 150, 0)


def test_messages_that_wait_share_a_transaction(database: Engine, broker_url: str) -> None:
    commit = GroupCommit(database, Doorbell(broker_url), writer="w")
    with database.connect() as blocker:
        blocker.execute(text("LOCK TABLE event_ids IN ACCESS EXCLUSIVE MODE"))
        with ThreadPoolExecutor(20) as pool:
            waiting = [pool.submit(commit.write, intake.EVENTS_DOOR, [_row(n)], []) for n in range(20)]
            threading.Event().wait(0.5)
            assert not any(future.done() for future in waiting)
            blocker.rollback()
            for future in waiting:
                future.result(10)
    with database.connect() as connection:
        transactions = connection.execute(text("SELECT count(DISTINCT xmin::text) FROM events")).scalar_one()
    assert transactions <= 2  # the one that was blocked, and one for all that came meanwhile


def test_a_row_that_the_database_refuses_is_kept_as_a_letter(database: Engine, broker_url: str) -> None:
    commit = GroupCommit(database, Doorbell(broker_url), writer="w")
    letter = DeadLetter("events", "no good", key="k", payload={"text": "a\x00b\ud800"})
    with ThreadPoolExecutor(8) as pool:
        good = [pool.submit(commit.write, intake.EVENTS_DOOR, [_row(n)], [letter]) for n in range(7)]
        mixed = pool.submit(commit.write, intake.EVENTS_DOOR, [_row(98), _row(99, shopper=None)], [])
        for future in [*good, mixed]:
            future.result(10)
    assert _written(database) == 8
    with database.connect() as connection:
        assert dead_letters.count(connection) == {"events": 8}
        assert intake.counts(connection)["events"] == intake.Counts(8, 0, 8)


def test_a_database_that_is_not_ready_is_said_to_every_message(database: Engine, broker_url: str) -> None:
    commit = GroupCommit(database, Doorbell(broker_url), writer="w")
    with database.begin() as connection:
        connection.execute(text("DROP TABLE events"))
    with pytest.raises(ProgrammingError):
        commit.write(intake.EVENTS_DOOR, [_row(1)])
