"""Screening on a real database: what an order knows, online and for training; one decision; decisions replayed."""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, text

from model.fraud.features import order_features
from storage import due
from storage import engine as engines
from storage.fraud import entity_history, orders, rule_sets, screenings
from tests.support import screening as tests
from workers.fraud import columns, configuration, replaying
from workers.fraud.rules import rules, rules_only
from workers.fraud.serving import Serving
from workers.fraud.training import learning
from workers.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(home=tmp_path, database_url=database_url, fraud_preset="tiny", refresh_batch=16)


def recorded(database: Engine) -> dict[int, list[float]]:
    """Return the features that were recorded when each order was screened, by its digest."""
    found = tests.rows_of(database, "SELECT order_id, features FROM screenings")
    return {orders.digest(row.order_id): row.features for row in found}


@pytest.mark.parametrize("latest", [0, 6 * 3600], ids=["in order", "shuffled"])
def test_features_online_are_those_of_training_bit_for_bit(
    database: Engine, settings: Settings, tmp_path: Path, latest: int
) -> None:
    tests.load_past(database, tmp_path)
    serving = Serving(database, settings)
    start, draw = datetime.now(UTC) - timedelta(days=1), random.Random(0)
    made = [(n, start + timedelta(minutes=3 * n)) for n in range(160)]
    arriving = sorted(made, key=lambda one: one[1] + timedelta(seconds=draw.uniform(0, latest)))
    while arriving:
        size = draw.choice((1, 2, 5, 20))
        tests.write(database, [tests.order(number, at) for number, at in arriving[:size]])
        arriving = arriving[size:]
        tests.work(database, serving, settings)
    tests.label(database, *((f"o-{n}", "chargeback") for n in range(0, 160, 9)))
    time.sleep(2.1)  # a label counts from the next second on
    tests.write(database, [tests.order(1_000 + n, datetime.now(UTC)) for n in range(40)])
    tests.work(database, serving, settings)

    online = recorded(database)
    with database.connect() as connection:
        every = columns.every(entity_history.every(connection)).found
    mine = np.flatnonzero(np.isin(every.tie_N, list(online)))
    offline = order_features.compute_rows(every, mine, configuration.features_of(settings))
    assert len(mine) == len(online) == 200
    stored_NxF = np.array([online[int(tie)] for tie in every.tie_N[mine]])
    assert np.array_equal(stored_NxF, offline.values_NxF)
    seen = dict(zip(order_features.NAMES, stored_NxF.max(0), strict=True))
    assert min(seen[f"{link}_frauds"] for link in order_features.LINKS) > 0
    assert min(seen[f"{link}_customers"] for link in order_features.LINKS) > 0
    assert seen["device_tainted"] > 0
    assert stored_NxF[:, order_features.NAMES.index("fraud_distance")].min() == 0


def test_a_busy_entity_is_looked_at_no_further_than_its_newest_orders(
    database: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration, "MOST", 7)
    serving = Serving(database, settings)
    start = datetime.now(UTC) - timedelta(hours=5)
    for n in range(4):
        made = [tests.order(20 * n + k, start + timedelta(minutes=20 * n + k), ip="192.0.2.1") for k in range(20)]
        tests.write(database, made)
        tests.work(database, serving, settings)
    online = recorded(database)
    with database.connect() as connection:
        every = columns.every(entity_history.every(connection)).found
    offline = order_features.compute_rows(every, np.arange(80), configuration.features_of(settings)).values_NxF
    assert np.array_equal(np.array([online[int(tie)] for tie in every.tie_N]), offline)
    assert offline[:, order_features.NAMES.index("ip_orders_1d")].max() == 7


def test_decisions_of_a_trained_model_replay_bit_for_bit(database: Engine, settings: Settings, tmp_path: Path) -> None:
    tests.load_past(database, tmp_path, count=1_500)
    report = learning.train(database, settings)
    assert report.published, report.reasons
    content = {
        "thresholds": {"review": 0.05, "decline": 0.5},
        "rules": [{
            "name": "busy", "decision": "review", "reason": "many orders", "when": {"ip_orders_7d": {"above": 2}},
        }],
    }  # fmt: skip
    activate(database, content)
    serving = Serving(database, settings)
    for n in range(0, 60, 7):
        tests.write(database, [tests.order(n + k, datetime.now(UTC), amount=5.0 * 3 ** (k % 5)) for k in range(7)])
        tests.work(database, serving, settings)
    rows = tests.rows_of(database, "SELECT order_id, decision, by, probability, reasons FROM screenings")
    assert {row.by for row in rows} == {"model"}
    assert {row.decision for row in rows} >= {"review", "decline"}
    assert len({row.probability for row in rows}) > 20
    for row in rows:
        assert replaying.replay(database, settings, row.order_id).differences == []
    declined = next(row for row in rows if row.decision == "decline")
    assert [reason["source"] for reason in declined.reasons] == ["model"] * len(declined.reasons)
    assert len(declined.reasons) > 1
    with database.begin() as connection:
        connection.execute(text("UPDATE screenings SET probability = probability + 1e-12"))
    assert replaying.replay(database, settings, declined.order_id).differences == ["probability"]


def activate(database: Engine, content: dict[str, Any]) -> None:
    rule_set = rules.from_json(content)
    with database.begin() as connection:
        rule_sets.keep(connection, rule_set.version, rules.to_json(rule_set))
        rule_sets.activate(connection, rule_set.version)


def test_without_labels_strangeness_decides_and_the_answer_says_so(
    database: Engine, settings: Settings, tmp_path: Path
) -> None:
    tests.load_past(database, tmp_path, share=0.0)
    report = learning.train(database, settings)
    assert report.published
    assert "no labels" in report.gate["notes"][0]
    activate(database, {"thresholds": {"novelty": 0.9}})
    serving = Serving(database, settings)
    usual = tests.order(1, datetime.now(UTC))
    tests.write(database, [usual, tests.order(2, datetime.now(UTC), amount=9e6)])
    tests.work(database, serving, settings)
    strange, plain = (
        tests.rows_of(database, "SELECT * FROM screenings WHERE order_id = :id", id=f"o-{n}")[0] for n in (2, 1)
    )
    assert (strange.by, strange.decision, strange.probability) == ("novelty", "review", None)
    assert strange.facts["novelty"] > plain.facts["novelty"]
    assert "no model is trained on labels" in strange.why
    assert replaying.replay(database, settings, "o-2").differences == []
    [review] = tests.rows_of(database, "SELECT order_id, why FROM reviews")
    assert review.order_id == "o-2"
    assert "stranger than" in review.why


def test_many_who_decide_about_one_order_write_one_decision(database: Engine, settings: Settings) -> None:
    made = tests.order(1, datetime.now(UTC))
    tests.write(database, [made])
    row = tests.rows_of(database, "SELECT message FROM order_messages")[0]
    barrier, new = threading.Barrier(8), []

    def decide(number: int) -> None:
        own = rules_only.decide(rules.DEFAULT, "o-1", row.message, {}, why=f"{number}", otherwise="review")
        barrier.wait()
        with database.begin() as connection:
            new.extend(screenings.write(connection, [own]))

    threads = [threading.Thread(target=decide, args=(n,)) for n in range(7)]
    threads.append(
        threading.Thread(target=lambda: (barrier.wait(), tests.work(database, Serving(database, settings), settings)))
    )
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tests.write(database, [made]) == set()
    tests.work(database, Serving(database, settings), settings)
    assert len(tests.rows_of(database, "SELECT FROM screenings")) == 1
    assert len(tests.rows_of(database, "SELECT FROM orders WHERE place > 0")) == 1
    assert tests.rows_of(database, "SELECT FROM due") == []


def test_what_the_model_says_too_late_is_noted_and_looked_at(database: Engine, settings: Settings) -> None:
    activate(database, {"rules": [
        {"name": "far", "decision": "decline", "reason": "far", "when": {"shipping_country": {"equals": "DE"}}},
    ]})  # fmt: skip
    tests.write(database, [tests.order(1, datetime.now(UTC), shipping_country="DE")])
    with database.begin() as connection:
        row = entity_history.asking(connection, ["o-1"])[0]
        early = rules_only.decide(rules.DEFAULT, "o-1", row.message, {}, why="the model is away", otherwise="approve")
        screenings.write(connection, [early])
    tests.work(database, Serving(database, settings), settings)
    [stands] = tests.rows_of(database, "SELECT decision, by FROM screenings")
    assert (stands.decision, stands.by) == ("approve", "rules")
    [line] = tests.rows_of(database, "SELECT what, detail FROM screening_log")
    assert (line.what, line.detail["decision"]) == ("judged late", "decline")
    [review] = tests.rows_of(database, "SELECT why FROM reviews")
    assert "says decline" in review.why


def test_labels_come_late_twice_shuffled_and_before_their_order(database: Engine, settings: Settings) -> None:
    serving = Serving(database, settings)
    tests.label(database, ("o-2", "chargeback"))
    tests.write(database, [tests.order(n, datetime.now(UTC)) for n in (1, 2, 3)])
    tests.work(database, serving, settings)
    tests.label(database, ("o-1", "confirmed_fraud"), ("o-3", "chargeback"))
    tests.label(database, ("o-1", "confirmed_fraud"))
    tests.label(database, ("o-3", "cleared"))
    found = tests.rows_of(database, "SELECT order_id, label, fraud_at > at AS later FROM orders ORDER BY 1")
    assert [tuple(row) for row in found] == [
        ("o-1", "confirmed_fraud", True),
        ("o-2", "chargeback", True),
        ("o-3", "cleared", None),
    ]
    [counted] = tests.rows_of(database, "SELECT written, duplicates FROM intake_counts WHERE door = 'labels'")
    assert tuple(counted) == (4, 1)
    assert due.ORDER not in {row.kind for row in tests.rows_of(database, "SELECT kind FROM due")}


def test_a_digest_is_the_models() -> None:
    from model.fraud.features import orders as model_orders

    ids = ["o-1", "名前", ""]
    assert [orders.digest(one) for one in ids] == model_orders.digests(ids).tolist()


def test_a_decision_is_on_the_disk_with_its_commit_whatever_the_session_waits_for(
    database: Engine, database_url: str
) -> None:
    nondurable = engines.connect(database_url, durable=False)
    tests.write(nondurable, [tests.order(n, datetime.now(UTC)) for n in range(10)])
    for row in tests.rows_of(database, "SELECT order_id, message FROM order_messages"):
        own = rules_only.decide(
            rules.DEFAULT, row.order_id, row.message, {}, why="the model is away", otherwise="approve"
        )
        with nondurable.begin() as connection:
            assert set(screenings.write(connection, [own])) == {row.order_id}
            written = connection.execute(text("SELECT CAST(pg_current_wal_insert_lsn() AS text)")).scalar_one()
        on_disk = "SELECT pg_current_wal_flush_lsn() >= CAST(:written AS pg_lsn) AS yes"
        assert tests.rows_of(database, on_disk, written=written)[0].yes
    nondurable.dispose()
