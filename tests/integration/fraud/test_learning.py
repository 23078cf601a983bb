"""Learning on a real database: what labels teach, who lets it serve, and what is said when orders change."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine

from model.fraud import serve
from model.fraud.detector.detector import Calibration
from storage.registry import models, updates
from tests.support import screening as tests
from tests.support.waiting import wait_until
from workers import capabilities
from workers.doorbell import Doorbell
from workers.fraud.serving import Serving
from workers.fraud.training import drift, gate, learning, publish, waiting
from workers.fraud.training.publish import Candidate
from workers.registry.errors import NotEnoughData
from workers.settings import Settings
from workers.supervisor import status
from workers.upkeep import reconcile


@pytest.fixture
def settings(tmp_path: Path, database_url: str, broker_url: str) -> Settings:
    return Settings(
        home=tmp_path, database_url=database_url, broker_url=broker_url, fraud_preset="tiny", fraud_update_labels=60
    )


def live(database: Engine) -> Any:
    with database.connect() as connection:
        found = models.live(connection, models.FRAUD)
    assert found is not None
    return found


def _attempts(database: Engine, version: str) -> int:
    with database.connect() as connection:
        return updates.attempts(connection, models.FRAUD, version)


def _takes_over(judging: Serving, version: str) -> None:
    """The one that judges does so until the new one is loaded beside it."""
    before = judging.version
    time.sleep(0.6)  # it looks twice a second
    judging.follow()
    assert judging.version == before
    wait_until(lambda: judging.follow() or judging.version == version, what="the new detector")


def screen(database: Engine, settings: Settings, count: int, **given: Any) -> None:
    """Have orders of the last day screened."""
    start = datetime.now(UTC) - timedelta(days=1)
    tests.write(database, [tests.order(n, start + timedelta(minutes=5 * n), **given) for n in range(count)])
    tests.work(database, Serving(database, settings), settings)


def test_labels_teach_the_live_detector_and_the_gate_lets_it_serve(
    database: Engine, settings: Settings, tmp_path: Path
) -> None:
    tests.load_past(database, tmp_path)
    first = learning.train(database, settings)
    assert (first.published, first.how) == (True, models.FULL)
    screen(database, settings, 120)
    assert waiting.reason(database, settings) is None
    with pytest.raises(NotEnoughData, match=f"0 frauds have become known since {first.version}"):
        learning.update(database, settings)
    assert _attempts(database, first.version) == 1
    tests.label(database, *((f"o-{n}", "cleared") for n in range(1, 120, 2)))
    assert waiting.reason(database, settings) is None  # 60 labels, and no fraud to learn of
    tests.label(database, *((f"o-{n}", "chargeback" if n % 4 == 0 else "cleared") for n in range(120)))
    assert waiting.reason(database, settings) == "120 orders were labelled"
    judging = Serving(database, settings)
    judging.follow()
    assert judging.version == first.version

    soon = datetime.now(UTC) + timedelta(seconds=5)  # a label counts from the next second on
    second = learning.update(database, settings, now=soon)
    assert (second.published, second.how, second.previous) == (True, models.INCREMENTAL, first.version)
    assert (second.orders, second.frauds) == (120, 30)
    assert _attempts(database, first.version) == 0
    _takes_over(judging, second.version)
    row = live(database)
    assert (row.version, row.parent, row.metrics["learnt"]) == (
        second.version,
        first.version,
        {"orders": 120, "frauds": 30},
    )
    assert waiting.reason(database, settings) is None
    serving = Serving(database, settings)
    serving.follow()
    assert serving.version == second.version
    found = status.gather(settings).fraud_model
    assert found is not None
    assert (found["version"], found["labelled_since"]) == (second.version, 0)


def test_a_candidate_that_the_gate_rejects_is_kept_and_does_not_serve(
    database: Engine, settings: Settings, tmp_path: Path
) -> None:
    tests.load_past(database, tmp_path)
    first = learning.train(database, settings)
    good = publish.loaded(settings.home, first.version)
    values_NxF = np.random.default_rng(0).normal(size=(400, len(good.typical_F))) * good.typical_F + good.typical_F
    likely_N = serve.probabilities(good, values_NxF)
    frauds_N = likely_N > np.quantile(likely_N, 0.9)
    turned = good._replace(scorer=good.scorer._replace(calibration=Calibration(slope=-1.0)))
    said = gate.judge(turned, good, first.version, values_NxF, frauds_N)
    assert not said.passed
    assert "no better than chance" in said.reasons[0]
    assert gate.judge(good, good, first.version, values_NxF, frauds_N).passed

    now = datetime.now(UTC)
    asked = Candidate(turned, said, models.INCREMENTAL, now, now, 400, 40)
    outcome = publish.publish(database, settings.home, asked, live(database), values_NxF[:8])
    assert (outcome.published, outcome.reasons) == (False, said.reasons)
    assert live(database).version == first.version
    [kept] = tests.rows_of(database, "SELECT parent, gate FROM model_versions WHERE version = :v", v=outcome.version)
    assert (kept.parent, kept.gate["passed"]) == (first.version, False)


def test_orders_of_another_kind_raise_an_alarm_that_is_told_everywhere(
    database: Engine, settings: Settings, tmp_path: Path
) -> None:
    tests.load_past(database, tmp_path)
    version = learning.train(database, settings).version
    with pytest.raises(drift.NothingToMeasure, match="has judged 0 orders"):
        drift.measure(database, settings)
    screen(database, settings, 150, amount=9_999.0)
    found = drift.measure(database, settings)
    assert (found.version, found.figures["orders"]) == (version, 150)
    [looks] = [alert for alert in found.alerts if alert.startswith("orders look different")]
    assert "amount" in looks

    bell = Doorbell(str(settings.broker_url), capabilities.RINGS)
    reconcile.reconcile(database, bell, settings, capabilities.gauges())
    bell.close()
    assert REGISTRY.get_sample_value("reshelf_fraud_drift_alert") == 1
    assert REGISTRY.get_sample_value("reshelf_fraud_drift_orders") == 150
    assert REGISTRY.get_sample_value("reshelf_fraud_drift_psi_nats") == found.figures["psi"]
    assert REGISTRY.get_sample_value("reshelf_drift_alert") == 0
    told = status.gather(settings).fraud_drift
    assert told is not None
    assert looks in told["alert"]
