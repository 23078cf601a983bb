"""What an event may cost, in what no machine makes quicker or slower: encodings, statements, bytes and bells.

The limits leave a little room above what is counted now. Whoever needs more says what a shop gets for it, in
`docs/explanation/cost-of-an-event.md`; `make bench-cost` says what it takes of a processor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, event, text

from reshelf import tasks
from storage import due
from tests.support import shop as shops
from tests.support import stack as stacks
from workers.intake import service
from workers.intake.group_commit import GroupCommit
from workers.privacy import parts as privacy_parts
from workers.recommend import parts
from workers.recommend import tasks as refreshing
from workers.runtime import bootstrap, claims
from workers.runtime.bootstrap import Services

SHOPPERS = 32
"""Shoppers of one batch, each with one new event."""


@dataclass
class Spent:
    """What was counted while something ran."""

    statements: int = 0
    bytes_of_log: int = 0
    encodings: int = 0
    bells: int = 0


@pytest.fixture(name="services")
def _services(
    tmp_path: Path, database: Engine, database_url: str, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Services]:
    """A worker's services in this process, with a model that serves and shelves that stand."""
    settings = stacks.settings_for(tmp_path, database_url, broker_url, search=False)
    shops.train(database, settings)
    made = Services(settings)
    monkeypatch.setattr(bootstrap, "services", lambda: made)
    with made.engine.begin() as connection:
        connection.execute(text("DELETE FROM due"))
    yield made
    made.engine.dispose()
    made.nondurable.dispose()
    made.bell.close()


@contextmanager
def _counted(services: Services) -> Iterator[Spent]:
    spent = Spent()

    def count(*_: Any) -> None:
        spent.statements += 1

    event.listen(services.nondurable, "before_cursor_execute", count)
    ranker = services.part(parts.serving).ranker
    encodings, bells, log = ranker.encodings, _pushed(services), _log(services.nondurable)
    try:
        yield spent
    finally:
        event.remove(services.nondurable, "before_cursor_execute", count)
        spent.encodings = ranker.encodings - encodings
        spent.bells = _pushed(services) - bells
        spent.bytes_of_log = _log(services.nondurable) - log


def _log(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")).scalar_one())


def _pushed(services: Services) -> int:
    """Return how many messages were put on lists of Redis so far."""
    with Redis.from_url(str(services.settings.broker_url)) as redis:
        return sum(
            int(redis.info("commandstats").get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("lpush", "rpush")
        )


def _take_in(services: Services, n: int) -> None:
    """Write one event of each shopper, as messages of one event each that came together."""
    at = datetime.now(UTC) + timedelta(seconds=n)
    messages = [
        {"event_id": f"e-{n}-{m}", "user_id": f"past-{m}", "item_id": f"item-{(m + n) % shops.ITEMS}", "kind": "click",
         "at": at.isoformat()}
        for m in range(SHOPPERS)
    ]  # fmt: skip
    erased = privacy_parts.erased(services.nondurable, services.settings)
    commit = GroupCommit(services.nondurable, services.bell, erased, writer="w")
    commit.write([service.events([one]) for one in messages])


def _rank(services: Services) -> None:
    refreshing.refresh_shoppers()
    with services.nondurable.connect() as connection:
        left = connection.execute(text("SELECT kind, count(*) FROM due GROUP BY kind")).all()
    assert [tuple(row) for row in left] in ([("reason", SHOPPERS)], [])


def _spent(services: Services) -> Spent:
    """Return what one batch costs whose pages and plans are there already."""
    for n in range(6):
        _take_in(services, n)
        _rank(services)
    with _counted(services) as spent:
        _take_in(services, 9)
        _rank(services)
    return spent


def test_a_shelf_costs_one_encoding_and_few_statements_bytes_and_bells(services: Services) -> None:
    assert services.part(parts.serving).follow()
    spent = _spent(services)
    assert spent.encodings == SHOPPERS  # reasons, which take six times as many, are another process's work
    assert spent.bells <= 2
    # Of intake and refresh together, and of the looks at what is due for the half second of a turn.
    assert spent.statements <= 60
    assert spent.bytes_of_log / SHOPPERS <= 4_200


def test_many_events_of_one_shopper_are_one_shelf(services: Services) -> None:
    assert services.part(parts.serving).follow()
    with _counted(services) as spent:
        for _ in range(20):
            with services.nondurable.begin() as connection:
                due.mark(connection, due.SHOPPER, ["past-1"])
        _rank_one(services)
    assert spent.encodings == 1


def _rank_one(services: Services) -> None:
    # A turn is half a second: on a busy machine one may be too few.
    assert any(refreshing._drain(services, due.SHOPPER, retry=True) for _ in range(100))


def test_a_turn_is_one_task_however_many_events_come(services: Services) -> None:
    assert services.part(parts.serving).follow()
    before = _pushed(services)
    for n in range(20):
        _take_in(services, n)
    assert _pushed(services) - before == 1


def test_the_rewrite_of_a_shelf_touches_no_index(services: Services) -> None:
    assert services.part(parts.serving).follow()
    for n in range(8):
        _take_in(services, n)
        assert any(refreshing._drain(services, due.SHOPPER, retry=False) for _ in range(100))
    with services.nondurable.connect() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    with services.nondurable.connect() as connection:
        query = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'rankings'"
        updated, in_place = connection.execute(text(query)).one()
    assert updated >= 6 * SHOPPERS
    assert in_place >= 0.9 * updated


def test_reasons_follow_at_no_cost_to_the_shelf(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counts tell when reasons are back where a shopper waits for them."""
    assert services.part(parts.serving).follow()
    from workers.recommend import refresh

    plain = refresh.shoppers
    monkeypatch.setattr(refresh, "shoppers", lambda *given: plain(*given, explain=True))
    _take_in(services, 1)
    with _counted(services) as spent:
        assert claims  # the module whose loop runs it
        refreshing._drain(services, due.SHOPPER, retry=False)
    assert spent.encodings > 4 * SHOPPERS


def test_messages_are_told_apart_by_the_name_of_their_task() -> None:
    assert set(service.doors(search=False)) == {tasks.EVENTS, tasks.CATALOGUE, tasks.LABELS}
