"""A changed price: all of it or nothing, once, inside the guardrails of that moment, and taken back on demand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis import Redis
from sqlalchemy import Connection, Engine, text

from storage.events import intake
from storage.pricing import changes, facts, proposals
from storage.pricing import rules as price_rules
from tests.support.waiting import wait_until
from workers import settings as configuration
from workers.pricing import applying, telling
from workers.settings import Settings

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
OPEN = {"step": 0.5, "cooldown_hours": 0.0}


@pytest.fixture(name="settings")
def _settings(tmp_path: Path, database_url: str, broker_url: str) -> Settings:
    return Settings(home=tmp_path, database_url=database_url, broker_url=broker_url, pricing_queue="shop")


def _announce(database: Engine, items: int, *, price: float = 10.0, at: datetime = BEFORE) -> None:
    rows = [
        {
            "change_id": f"c{n}:{at}", "item_id": f"i{n}", "at": at, "announces": True,
            "fields": {"title": f"Item {n}", "category": "lamps", "price": price, "currency": "EUR"},
        }
        for n in range(items)
    ]  # fmt: skip
    with database.begin() as connection:
        intake.write_changes(connection, rows, writer="test")


def _propose(
    database: Engine, items: int, *, proposed: float = 11.0, state: str = "approved", price: float = 10.0
) -> None:
    rows = [
        {
            "item_id": f"i{n}", "price": price, "proposed": proposed, "currency": "EUR", "objective": "revenue",
            "expects": {}, "reason": "a test", "bitten": [], "propensity": 1.0, "policy": "test", "state": state,
        }
        for n in range(items)
    ]  # fmt: skip
    with database.begin() as connection:
        price_rules.put(connection, "shop", "", OPEN, "test")
        proposals.write(connection, rows)


def _prices(database: Engine) -> dict[str, float]:
    with database.connect() as connection:
        return {row.item_id: row.price for row in connection.execute(text("SELECT item_id, price FROM items"))}


def _states(database: Engine) -> list[tuple[str, str | None]]:
    with database.connect() as connection:
        return [(row.state, row.why) for row in proposals.recent(connection)]


def _count(database: Engine, table: str) -> int:
    with database.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_an_approved_price_is_changed_with_its_line_and_its_message(database: Engine, settings: Settings) -> None:
    _announce(database, 2)
    with database.begin() as connection:
        connection.execute(text("TRUNCATE due"))
    _propose(database, 1)
    assert applying.apply_approved(database, settings) == {"applied": 1}
    assert _prices(database) == {"i0": 11.0, "i1": 10.0}
    with database.connect() as connection:
        [line] = changes.recent(connection)
        due = connection.execute(text("SELECT count(*) FROM due WHERE kind = 'item' AND key = 'i0'")).scalar()
    assert (line.item_id, line.price_before, line.price_after, line.cause) == ("i0", 10.0, 11.0, "proposal")
    assert due == 1, "the catalogue change is one like any other"
    assert applying.apply_approved(database, settings) == {}
    assert telling.tell(database, settings) == 1
    with Redis.from_url(str(settings.broker_url)) as redis:
        [message] = redis.lrange("shop", 0, -1)
    assert b"reshelf.pricing.changed" in message
    assert _count(database, "price_outbox") == 0


def test_the_newest_proposal_of_an_item_is_read_from_an_index(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO price_proposals (item_id, price, proposed, objective, expects, reason, bitten, propensity,
                policy, state)
            SELECT 'i' || n % 1000, 10, n, 'revenue', '{}', '', '{}', 1, 'test', 'expired'
            FROM generate_series(1, 20000) AS n
        """)
        )
        connection.execute(text("ANALYZE price_proposals"))
        found = proposals.newest(connection, "i7")
        assert found is not None
        assert found.proposed == 19_007
        statement = str(proposals._NEWEST).replace(":item", "'i7'")
        plan = "\n".join(connection.execute(text(f"EXPLAIN {statement}")).scalars())
    assert "price_proposals_item" in plan
    assert "Sort" not in plan


def test_an_item_that_another_transaction_holds_does_not_keep_the_others_waiting(
    database: Engine, settings: Settings
) -> None:
    _announce(database, 3)
    _propose(database, 3)
    with database.begin() as other:
        other.execute(text("SELECT FROM items WHERE item_id = 'i0' FOR UPDATE"))
        assert applying.apply_approved(database, settings) == {"applied": 2}
    assert _prices(database) == {"i0": 10.0, "i1": 11.0, "i2": 11.0}
    assert applying.apply_approved(database, settings) == {"applied": 1}


def test_an_item_on_promotion_keeps_its_price(database: Engine, settings: Settings) -> None:
    _announce(database, 2)
    _propose(database, 2)
    with database.begin() as connection:
        facts.learn(connection, [{"item_id": "i0", "promotion": True}, {"item_id": "i1", "promotion": False}])
    assert applying.apply_approved(database, settings) == {"refused": 1, "applied": 1}
    assert _prices(database) == {"i0": 10.0, "i1": 11.0}


def test_a_larger_pack_never_costs_less_than_a_smaller_one(database: Engine, settings: Settings) -> None:
    _announce(database, 3)
    with database.begin() as connection:
        connection.execute(text("UPDATE items SET price = 10 + 2 * CAST(substr(item_id, 2) AS int)"))
        price_rules.put(connection, "shop", "", OPEN, "test")
        for n, size in enumerate((1, 6, 12)):
            price_rules.put(connection, "item", f"i{n}", {"family": "cola", "size": size}, "test")
        rows = [("i0", 10.0, 13.0), ("i1", 12.0, 13.5), ("i2", 14.0, 13.2)]
        proposals.write(connection, [
            {
                "item_id": item, "price": price, "proposed": proposed, "currency": "EUR", "objective": "revenue",
                "expects": {}, "reason": "", "bitten": [], "propensity": 1.0, "policy": "test", "state": "approved",
            }
            for item, price, proposed in rows
        ])  # fmt: skip
    assert applying.apply_approved(database, settings) == {"refused": 2, "applied": 1}
    assert _prices(database) == {"i0": 10.0, "i1": 13.5, "i2": 14.0}
    assert {why for state, why in _states(database) if state == "refused"} == {"it breaks family"}


def test_workers_beside_each_other_keep_the_order_of_a_family(database: Engine, settings: Settings) -> None:
    """Each change alone would do; both of a pair would not."""
    items = 40
    _announce(database, items)
    with database.begin() as connection:
        price_rules.put(connection, "shop", "", OPEN, "test")
        for n in range(items):
            connection.execute(text("UPDATE items SET price = :price WHERE item_id = :item"),
                               {"item": f"i{n}", "price": 10.0 + 2 * (n % 2)})  # fmt: skip
            price_rules.put(connection, "item", f"i{n}", {"family": f"f{n // 2}", "size": 1 + n % 2}, "test")
        proposals.write(connection, [
            {
                "item_id": f"i{n}", "price": 10.0 + 2 * (n % 2), "proposed": 11.5 - n % 2, "currency": "EUR",
                "objective": "revenue", "expects": {}, "reason": "", "bitten": [], "propensity": 1.0,
                "policy": "test", "state": "approved",
            }
            for n in range(items)
        ])  # fmt: skip
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(applying.apply_approved, database, settings) for _ in range(4)]
    assert sum(one.result()["applied"] for one in done) == items // 2
    prices = _prices(database)
    assert all(prices[f"i{n}"] <= prices[f"i{n + 1}"] for n in range(0, items, 2))


def test_lines_of_the_audit_can_only_be_added(database: Engine, settings: Settings) -> None:
    _announce(database, 1)
    _propose(database, 1)
    applying.apply_approved(database, settings)
    for statement in ("UPDATE price_changes SET price_after = 1", "DELETE FROM price_changes"):
        with pytest.raises(Exception, match="can only be added to"), database.begin() as connection:
            connection.execute(text(statement))


@pytest.mark.parametrize(
    ("rules", "proposed", "why"),
    [
        ({"ceiling": 10.5}, 11.0, "it breaks ceiling"),
        ({"step": 0.05}, 11.0, "it breaks step"),
        ({"frozen": True}, 11.0, "it breaks frozen"),
        ({"endings": [".99"]}, 11.0, "it breaks ending"),
        ({"margin": 0.2}, 10.5, "it breaks margin"),
        ({"competitor_high": 1.0}, 10.5, "it breaks competitor"),
        ({"floor": 20.0}, 11.0, "it breaks floor"),
    ],
)
def test_guardrails_are_looked_at_again_when_a_price_is_applied(
    database: Engine, settings: Settings, rules: dict[str, Any], proposed: float, why: str
) -> None:
    _announce(database, 1)
    _propose(database, 1, proposed=proposed)
    with database.begin() as connection:
        price_rules.put(connection, "category", "lamps", rules, "test")
        facts.learn(connection, [{"item_id": "i0", "cost": 9.0, "competitor_price": 10.2}])
    assert applying.apply_approved(database, settings) == {"refused": 1}
    assert _states(database) == [("refused", why)]
    assert _prices(database) == {"i0": 10.0}


def test_rules_of_two_scopes_that_contradict_each_other_stop_that_item_alone(
    database: Engine, settings: Settings
) -> None:
    _announce(database, 2)
    _propose(database, 2)
    with database.begin() as connection:
        price_rules.put(connection, "shop", "", OPEN | {"floor": 10.5}, "test")
        price_rules.put(connection, "item", "i0", {"ceiling": 5.0}, "test")
    assert applying.apply_approved(database, settings) == {"refused": 1, "applied": 1}
    assert _prices(database) == {"i0": 10.0, "i1": 11.0}


def test_a_price_that_has_moved_is_left_alone(database: Engine, settings: Settings) -> None:
    _announce(database, 1)
    _propose(database, 1)
    _announce(database, 1, price=12.0, at=BEFORE + timedelta(days=1))
    assert applying.apply_approved(database, settings) == {"refused": 1}
    assert _states(database) == [("refused", "the price is 12.0 by now, not 10.0")]


def test_a_price_that_the_shop_set_for_later_stays(database: Engine, settings: Settings) -> None:
    _announce(database, 1, at=datetime.now(UTC) + timedelta(hours=1))
    _propose(database, 1)
    assert applying.apply_approved(database, settings) == {"refused": 1}
    assert _prices(database) == {"i0": 10.0}
    assert (_count(database, "price_changes"), _count(database, "price_outbox")) == (0, 0)


def test_a_second_change_waits_for_the_cooldown(database: Engine, settings: Settings) -> None:
    _announce(database, 1)
    _propose(database, 1)
    applying.apply_approved(database, settings)
    with database.begin() as connection:
        price_rules.put(connection, "shop", "", {"cooldown_hours": 24.0, "step": 0.5}, "test")
        connection.execute(text("UPDATE price_proposals SET state = 'expired'"))
        connection.execute(
            text("""
            INSERT INTO price_proposals (item_id, price, proposed, objective, expects, reason, bitten, propensity,
                policy, state, decided_by) VALUES ('i0', 11, 12, 'revenue', '{}', '', '{}', 1, 'test', 'approved', 'x')
            """)
        )
    assert applying.apply_approved(database, settings) == {"refused": 1}
    assert _prices(database) == {"i0": 11.0}


def test_nothing_is_changed_once_all_changes_are_stopped(database: Engine, settings: Settings) -> None:
    _announce(database, 300)
    _propose(database, 300)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(applying.apply_approved, database, settings)
        wait_until(lambda: _count(database, "price_changes") > 5, what="some changes")
        with database.begin() as connection:
            price_rules.stop(connection, "test")
        stopped_at = _count(database, "price_changes")
        running.result()
    assert _count(database, "price_changes") == stopped_at < 300
    assert applying.apply_approved(database, settings) == {}
    with database.begin() as connection:
        price_rules.stop(connection, "test", stopped=False)
    applying.apply_approved(database, settings)
    assert set(_prices(database).values()) == {11.0}


def test_workers_beside_each_other_change_each_item_once(database: Engine, settings: Settings) -> None:
    _announce(database, 120)
    _propose(database, 120)
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(applying.apply_approved, database, settings) for _ in range(4)]
    applied = sum(one.result()["applied"] for one in done)
    assert applied == 120
    assert _count(database, "price_changes") == _count(database, "price_outbox") == 120
    assert set(_prices(database).values()) == {11.0}


def _record_in(connection: Connection, item: str) -> int:
    return changes.record(
        connection, tell=True, item_id=item, price_before=10.0, price_after=11.0, currency="EUR", cause="proposal",
        proposal_id=None, changed_by="test",
    )  # fmt: skip


def _record(database: Engine, item: str) -> int:
    with database.begin() as connection:
        return _record_in(connection, item)


def _waits_for_a_lock(database: Engine) -> bool:
    with database.connect() as connection:
        return bool(connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar())


def test_changes_are_numbered_in_the_order_of_their_commits(database: Engine) -> None:
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            first = _record_in(connection, "i0")
            second = pool.submit(_record, database, "i1")
            wait_until(lambda: second.done() or _waits_for_a_lock(database), what="the second change")
            with database.connect() as other:
                assert not changes.after(other, 0), "a greater number was to be seen before a lower one"
        assert first < second.result()


def test_the_shop_is_told_by_one_at_a_time_and_so_in_order(database: Engine, settings: Settings) -> None:
    _record(database, "i0")
    with database.begin() as connection:
        assert len(changes.untold(connection)) == 1
        _record(database, "i1")
        assert telling.tell(database, settings) == 0, "a later change was to overtake an earlier one"
    assert telling.tell(database, settings) == 2


def test_the_prices_of_a_time_are_taken_back_but_not_those_of_others(database: Engine, settings: Settings) -> None:
    _announce(database, 3)
    _propose(database, 3)
    since = datetime.now(UTC)
    applying.apply_approved(database, settings)
    _announce_one = {"change_id": "own", "item_id": "i2", "at": datetime.now(UTC), "announces": False}
    with database.begin() as connection:
        intake.write_changes(connection, [_announce_one | {"fields": {"price": 9.0}}], writer="test")
        price_rules.put(connection, "shop", "", {"cooldown_hours": 99.0, "step": 0.01}, "test")
        items = proposals.roll_back(connection, since, datetime.now(UTC), "ann")
    assert sorted(items) == ["i0", "i1"]
    assert applying.apply_approved(database, settings) == {"applied": 2}
    assert _prices(database) == {"i0": 10.0, "i1": 10.0, "i2": 9.0}
    with database.connect() as connection:
        assert [(line.cause, line.changed_by) for line in changes.recent(connection, most=2)] == [
            ("rollback", "ann")
        ] * 2


def test_a_price_that_was_changed_again_is_taken_back_too(database: Engine, settings: Settings) -> None:
    _announce(database, 2)
    _propose(database, 2)
    since = datetime.now(UTC)
    applying.apply_approved(database, settings)
    until = datetime.now(UTC)
    own = {"change_id": "own", "item_id": "i1", "at": datetime.now(UTC), "announces": False, "fields": {"price": 9.0}}
    with database.begin() as connection:
        intake.write_changes(connection, [own], writer="test")
    _propose(database, 1, price=11.0, proposed=12.0)
    _propose(database, 2, price=9.0, proposed=9.5)  # only for i1: i0 keeps what is approved
    assert applying.apply_approved(database, settings) == {"applied": 2}
    assert _prices(database) == {"i0": 12.0, "i1": 9.5}
    with database.begin() as connection:
        assert proposals.roll_back(connection, since, until, "ann") == ["i0"], "for i1 the shop chose 9"
    assert applying.apply_approved(database, settings) == {"applied": 1}
    assert _prices(database) == {"i0": 10.0, "i1": 9.5}


def test_taking_back_another_time_keeps_what_is_being_taken_back(database: Engine, settings: Settings) -> None:
    _announce(database, 1)
    since = datetime.now(UTC)
    _propose(database, 1)
    applying.apply_approved(database, settings)
    between = datetime.now(UTC)
    _propose(database, 1, price=11.0, proposed=12.0)
    applying.apply_approved(database, settings)
    with database.begin() as connection:
        assert proposals.roll_back(connection, between, datetime.now(UTC), "ann") == ["i0"]
        assert proposals.roll_back(connection, since, between, "ann") == ["i0"]
    assert applying.apply_approved(database, settings) == {"applied": 1}
    assert _prices(database) == {"i0": 10.0}


_KILLED = """
import os, signal, sys
from sqlalchemy import event
from storage import engine
from workers import settings as configuration
from workers.pricing import applying

settings = configuration.load()
database = engine.connect(settings.database_url)
left = int(sys.argv[1])

@event.listens_for(database, "before_cursor_execute")
def _die(*_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

applying.apply_approved(database, settings)
"""


def test_a_worker_killed_before_any_statement_leaves_nothing_half_done(database: Engine, settings: Settings) -> None:
    _announce(database, 1)
    _propose(database, 1)
    environ = {**os.environ, **configuration.to_environ(settings)}
    killed, step = 0, 0
    while True:
        done = subprocess.run([sys.executable, "-c", _KILLED, str(step)], env=environ, check=False, timeout=60)
        prices, lines, letters = _prices(database), _count(database, "price_changes"), _count(database, "price_outbox")
        [(state, _)] = _states(database)
        assert (prices["i0"], lines, letters, state) in [(10.0, 0, 0, "approved"), (11.0, 1, 1, "applied")]
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        killed, step = killed + 1, step + 1
    assert killed >= 10
    assert applying.apply_approved(database, settings) == {}
    assert _prices(database) == {"i0": 11.0}


def test_what_cannot_be_told_is_told_later(database: Engine, settings: Settings) -> None:
    _announce(database, 1)
    _propose(database, 1)
    applying.apply_approved(database, settings)
    away = msgspec.structs.replace(settings, pricing_queue=None, pricing_webhook="http://127.0.0.1:1/prices")
    assert telling.tell(database, away) == 0
    with database.connect() as connection:
        [(tries, error)] = connection.execute(text("SELECT tries, error FROM price_outbox")).all()
    assert tries == 1
    assert "Connect" in error
    assert telling.tell(database, settings) == 1


def test_what_waits_comes_with_what_it_is_expected_to_bring(database: Engine) -> None:
    _announce(database, 3)
    with database.begin() as connection:
        proposals.write(connection, [
            {
                "item_id": f"i{n}", "price": 10.0, "proposed": 11.0, "currency": "EUR" if n < 2 else "JPY",
                "objective": "revenue", "expects": expects, "reason": "", "bitten": ["step"], "propensity": 1.0,
                "policy": "test", "state": "proposed",
            }
            for n, expects in enumerate([
                {"revenue": [105, 1, 2], "revenue_before": [100, 1, 2], "chance_of_better": 0.7},
                {"revenue": [220, 1, 2], "revenue_before": [200, 1, 2], "chance_of_better": 0.9}, {},
            ])
        ])  # fmt: skip
        first, second = proposals.waiting(connection, "EUR")
        [other] = proposals.waiting(connection, "JPY")
    assert (first.item_id, first.title, first.chance, first.bitten) == ("i1", "Item 1", 0.9, ["step"])
    assert [first.gain, second.gain] == pytest.approx([0.1, 0.05])
    assert (other.gain, other.chance, other.is_approved) == (None, None, False)
