"""Group commit on a real database: many messages are one transaction, and one bad message fails alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import ProgrammingError

from reshelf import tasks
from storage import dead_letters, due
from storage.dead_letters import DeadLetter
from storage.events import intake
from storage.privacy.erased import Erased
from storage.tables import events
from workers import capabilities
from workers.doorbell import Doorbell
from workers.intake import group_commit
from workers.intake.group_commit import GroupCommit, Offer
from workers.privacy import parts
from workers.settings import Settings


def _erased(database: Engine) -> Erased:
    return parts.erased(database, Settings())


def _row(n: int, shopper: str | None = "u") -> dict[str, Any]:
    blank = dict.fromkeys(("value", "session_id", "surface", "request_id", "query"))
    at = datetime(2026, 5, 1, tzinfo=UTC)
    given = {"event_id": f"e{n}", "shopper": shopper, "kind": "view", "item_id": "i", "quantity": 1.0, "context": {}}
    return blank | given | {"at": at}


def _offer(*rows: dict[str, Any], letters: tuple[DeadLetter, ...] = (), rings: tuple[str, ...] = ()) -> Offer:
    return Offer(intake.EVENTS_DOOR, rows, letters, rings)


def _written(database: Engine) -> int:
    with database.connect() as connection:
        return connection.execute(select(func.count()).select_from(events)).scalar_one()


def test_messages_share_a_transaction_and_a_ring(database: Engine, broker_url: str) -> None:
    commit = GroupCommit(database, Doorbell(broker_url, capabilities.RINGS), _erased(database), writer="w")
    commit.write([_offer(_row(n % 150), rings=(due.SHOPPER,)) for n in range(300)])
    assert _written(database) == 150
    with database.connect() as connection:
        assert intake.counts(connection)["events"] == intake.Counts(150, 150, 0)
        assert connection.execute(text("SELECT count(DISTINCT xmin::text) FROM events")).scalar_one() == 1
    with Redis.from_url(broker_url) as redis:
        assert redis.llen(tasks.REFRESH_QUEUE) == 1


def test_a_transaction_has_an_end_however_much_waits(
    database: Engine, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_ROWS", 10)
    commit = GroupCommit(database, Doorbell(broker_url, capabilities.RINGS), _erased(database), writer="w")
    commit.write([_offer(*(_row(10 * n + m) for m in range(4))) for n in range(8)])
    assert _written(database) == 32
    with database.connect() as connection:
        sizes = connection.execute(text("SELECT count(*) FROM events GROUP BY xmin::text ORDER BY 1")).scalars().all()
    assert sizes == [8, 12, 12]


def test_a_row_that_the_database_refuses_is_kept_as_a_letter(database: Engine, broker_url: str) -> None:
    commit = GroupCommit(database, Doorbell(broker_url, capabilities.RINGS), _erased(database), writer="w")
    letter = DeadLetter("events", "no good", key="k", payload={"text": "a\x00b\ud800"})
    good = [_offer(_row(n), letters=(letter,)) for n in range(7)]
    commit.write([*good, _offer(_row(98), _row(99, shopper=None))])
    assert _written(database) == 8
    with database.connect() as connection:
        assert dead_letters.count(connection) == {"events": 8}
        assert intake.counts(connection)["events"] == intake.Counts(8, 0, 8)


def test_a_database_that_is_not_ready_is_said(database: Engine, broker_url: str) -> None:
    commit = GroupCommit(database, Doorbell(broker_url, capabilities.RINGS), _erased(database), writer="w")
    with database.begin() as connection:
        connection.execute(text("DROP TABLE events"))
    with pytest.raises(ProgrammingError):
        commit.write([_offer(_row(1))])
