"""Drift on a real database: a shop that goes on as before raises no alert, one that is turned upside down does."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from prometheus_client import REGISTRY
from sqlalchemy import Engine, text

from model.errors import ArtifactError
from reshelf import parsing
from storage.events import intake
from storage.registry import drift as measurements
from storage.registry import models
from tests.support import shop as shops
from workers import capabilities, rows
from workers.cli import main
from workers.doorbell import Doorbell
from workers.recommend import gauges as recommend_gauges
from workers.recommend.training import drift, full_training, window
from workers.recommend.training.window import NothingToMeasure
from workers.settings import Settings
from workers.supervisor import status
from workers.upkeep import reconcile

SHOPPERS = 120
# So many that nobody has seen half of what they like: else the best of the rest scores lower with each visit.
ITEMS = 120
START = datetime(2026, 2, 1, tzinfo=UTC)

Group = Callable[[int], int]


def _write(database: Engine, events: Iterator[dict[str, Any]]) -> None:
    parsed = parsing.parse_events(list(events))
    assert not parsed.bad
    with database.begin() as connection:
        intake.write_events(connection, [rows.event_row(event) for event in parsed.good], writer="test")


def _announce(database: Engine, numbers: range) -> None:
    parsed = parsing.parse_changes([shops.item(n) for n in numbers])
    with database.begin() as connection:
        intake.write_changes(connection, [rows.change_row(change) for change in parsed.good], writer="test")


def _visits(
    hours: range, group: Group, *, items: range = range(ITEMS), shoppers: int = SHOPPERS, prefix: str = "ann"
) -> Iterator[dict[str, Any]]:
    """Yield an event an hour of every shopper, on an item of the group that is theirs now."""
    draw = random.Random(hours.start)
    for hour in hours:
        for shopper in range(shoppers):
            chosen = draw.choice([n for n in items if n % shops.GROUPS == group(shopper)])
            yield {
                "event_id": f"{prefix}-{shopper}-{hour}",
                "user_id": f"{prefix}-{shopper}",
                "item_id": f"item-{chosen}",
                "kind": draw.choice(("view", "click", "purchase")),
                "at": (START + timedelta(hours=hour, seconds=shopper)).isoformat(),
            }


def _own(shopper: int) -> int:
    return shopper % shops.GROUPS


def _another(shopper: int) -> int:
    return (shopper + 2) % shops.GROUPS


@pytest.fixture(name="settings")
def _settings(tmp_path: Path, database_url: str, broker_url: str) -> Settings:
    return Settings(home=tmp_path, database_url=database_url, broker_url=broker_url)


@pytest.fixture(name="version")
def _version(database: Engine, settings: Settings) -> str:
    """The version that serves; it knows seven hours of the shop."""
    _announce(database, range(ITEMS))
    _write(database, _visits(range(7), _own))
    trained = full_training.train(database, settings, full_training.Training(preset="tiny"))
    assert trained.published, trained.reasons
    return trained.version


def _rows(database: Engine) -> list[Any]:
    with database.connect() as connection:
        return list(measurements.newest(connection, most=10))


def _gauges(database: Engine, settings: Settings) -> dict[str, float | None]:
    """The gauges of drift, once the reconciler has run."""
    bell = Doorbell(str(settings.broker_url), capabilities.RINGS)
    reconcile.reconcile(database, bell, settings, capabilities.gauges())
    names = [
        metric.name
        for gauge in (*recommend_gauges.DRIFT.values(), recommend_gauges.DRIFT_ALERT)
        for metric in gauge.collect()
    ]
    return {name: REGISTRY.get_sample_value(name) for name in names}


def _reshelf(settings: Settings, *arguments: str) -> str:
    environ = {"RESHELF_DATABASE_URL": str(settings.database_url), "RESHELF_HOME": str(settings.home)}
    done = CliRunner().invoke(main, [*arguments], env=environ | {"COLUMNS": "300"})
    assert done.exit_code in (0, status.EXIT_STATUS[status.STOPPED]), done.output
    return done.stdout


def test_a_shop_that_goes_on_as_before_raises_no_alert(database: Engine, settings: Settings, version: str) -> None:
    assert _reshelf(settings, "models", "drift").startswith("No measurement yet")
    assert "drift: not measured yet" in _reshelf(settings, "status")
    assert math.isnan(_gauges(database, settings)["reshelf_drift_psi_nats"] or 0)
    _write(database, _visits(range(7, 9), _own))
    first = drift.measure(database, settings)
    _write(database, _visits(range(9, 10), _own))
    second = drift.measure(database, settings)
    assert first.alerts == second.alerts == []
    assert first.version == second.version == version
    assert first.window == measurements.Window(
        START + timedelta(hours=6, seconds=SHOPPERS - 1), START + timedelta(hours=8, seconds=SHOPPERS - 1)
    )
    assert (first.figures.events, first.figures.shoppers) == (2 * SHOPPERS, SHOPPERS)
    assert first.figures.psi is None
    assert second.figures.psi is not None
    for figures in (first.figures, second.figures):
        assert 50 <= figures.cases <= SHOPPERS
        assert figures.unknown_items == figures.new_shoppers == 0
        assert figures.ndcg_at_10 is not None
        assert 0.1 < figures.ndcg_at_10 < 1
        assert figures.calibration_error is not None
        assert 0 <= figures.calibration_error < 1
    newer, older = _rows(database)
    assert (older.version, older.alert, newer.reference) == (version, None, None)
    assert sum(older.reference["counts"]) == SHOPPERS
    assert newer.figures == second.figures.as_json()
    gauges = _gauges(database, settings)
    assert gauges["reshelf_drift_ndcg_at_10_ratio"] == newer.figures["ndcg_at_10"]
    assert gauges["reshelf_drift_alert"] == 0
    assert "drift: no alert, NDCG@10" in _reshelf(settings, "status")


def test_a_shop_that_is_turned_upside_down_does(database: Engine, settings: Settings, version: str) -> None:
    _write(database, _visits(range(7, 9), _own))
    assert drift.measure(database, settings).alerts == []
    new = range(ITEMS, 2 * ITEMS)
    _announce(database, new)
    _write(database, _visits(range(40, 44), _another, items=new))
    found = drift.measure(database, settings)
    assert found.figures.unknown_items == 1.0
    said = "; ".join(found.alerts)
    assert "100% of the events are on items that it was not trained on" in said
    assert "of its gate, which is more than chance" in said
    row = _rows(database)[0]
    assert row.alert == said
    gauges = _gauges(database, settings)
    assert (gauges["reshelf_drift_alert"], gauges["reshelf_drift_unknown_items_ratio"]) == (1, 1)
    # A worker that starts anew has the gauges from the table.
    recommend_gauges.DRIFT_ALERT.set(0)
    assert _gauges(database, settings) == gauges
    table = _reshelf(settings, "models", "drift")
    assert f"{version}: {said}" in " ".join(table.split())
    assert table.count(version) == 3  # two rows, and the alert of one
    assert len(json.loads(_reshelf(settings, "models", "drift", "--json", "--last", "1"))) == 1
    assert "drift: 100% of" in _reshelf(settings, "status") or "drift: NDCG@10 is" in _reshelf(settings, "status")
    assert json.loads(_reshelf(settings, "status", "--json"))["drift"]["alert"] == said


def test_other_halves_of_the_same_catalogue_are_noticed_too(database: Engine, settings: Settings, version: str) -> None:
    _write(database, _visits(range(7, 9), _own))
    before = drift.measure(database, settings).figures
    # Everybody likes what others liked before: histories tell the wrong thing.
    _write(database, _visits(range(40, 41), _another))
    found = drift.measure(database, settings)
    assert found.figures.unknown_items == 0
    assert found.figures.ndcg_at_10 is not None
    assert before.ndcg_at_10 is not None
    assert found.figures.ndcg_at_10 < before.ndcg_at_10 / 2
    assert any("of its gate" in alert for alert in found.alerts)
    assert any("probabilities are off" in alert for alert in found.alerts)


def test_of_few_only_counts_are_said(database: Engine, settings: Settings, version: str) -> None:
    _write(database, _visits(range(7, 8), _another, shoppers=30, prefix="bob"))
    found = drift.measure(database, settings)
    assert found.alerts == []
    kept = {name for name, value in found.figures.as_json().items() if value is not None}
    assert kept == {"events", "shoppers", "cases"}
    assert _rows(database)[0].reference is None
    _write(database, _visits(range(8, 9), _own, prefix="eve"))
    later = drift.measure(database, settings)
    assert later.figures.new_shoppers == 1.0
    assert later.figures.cases == 0  # nobody has a history to predict from
    assert _rows(database)[0].reference is not None


def test_a_sample_is_bounded_and_always_the_same(database: Engine, version: str) -> None:
    span = measurements.Window(START, START + timedelta(hours=7))
    with database.connect() as connection:
        some = measurements.sample(connection, span, most=20)
        assert measurements.sample(connection, span, most=21)[:20] == some
        early = measurements.Window(START, START + timedelta(seconds=9))
        assert set(measurements.sample(connection, early, most=20)) == {f"ann-{n}" for n in range(1, 10)}
        assert measurements.newcomers(connection, ["ann-0", "ann-1", "nobody"], early) == 2
        histories = measurements.histories(connection, some, span, length=3)
        assert [row.shopper for row in histories] == sorted(name for name in some for _ in range(3))
        assert {row.at // 3_600_000_000 % 24 for row in histories} == {4, 5, 6}
        assert sum(measurements.item_events(connection, span).values()) == 7 * SHOPPERS - 1


def test_there_is_nothing_to_measure_until_something_happens(
    database: Engine, settings: Settings, tmp_path: Path
) -> None:
    def reason(**others: Any) -> str:
        with pytest.raises(NothingToMeasure) as raised, database.connect() as connection:
            window.choose(connection, Settings(home=tmp_path, **others))
        return str(raised.value)

    assert "RESHELF_DRIFT_WINDOW_HOURS is 0" in reason(drift_window_hours=0.0)
    assert "run `reshelf train` first" in reason()
    _announce(database, range(ITEMS))
    _write(database, _visits(range(7), _own))
    trained = full_training.train(database, settings, full_training.Training(preset="tiny"))
    assert f"{trained.version} has learnt all that happened" in reason()
    _write(database, _visits(range(30, 31), _own))
    drift.measure(database, settings)
    assert f"nothing happened since {trained.version} was measured" in reason()
    _write(database, _visits(range(31, 32), _own))
    with database.connect() as connection:
        chosen = window.choose(connection, Settings(home=tmp_path, drift_window_hours=0.5))
    assert chosen.window.until - chosen.window.since == timedelta(minutes=30)
    with database.begin() as connection:
        of_before = models.version_name(models.RECOMMEND, START, "00abcd")
        models.register(connection, of_before, config={}, metrics={})
        models.switch(connection, of_before)
    assert f"nobody noted up to when {of_before} has learnt" in reason()
    with database.begin() as connection:
        models.switch(connection, trained.version)
    (tmp_path / "models" / trained.version).rename(tmp_path / "models" / "elsewhere")
    with pytest.raises(ArtifactError, match="does not exist"):
        drift.measure(database, settings)


def test_old_measurements_go_but_for_the_reference_of_what_serves(
    database: Engine, settings: Settings, version: str
) -> None:
    past = models.version_name(models.RECOMMEND, START, "00abcd")
    span = measurements.Window(START, START + timedelta(hours=1))
    first = {"edges": [0.5], "counts": [1, 2]}
    with database.begin() as connection:
        models.register(connection, past, config={}, metrics={})
        for named, reference in ((past, first), (version, first), (version, None), (past, None)):
            measurements.add(connection, named, span, {}, reference=reference, alert=None)
        connection.execute(text("UPDATE drift_measurements SET measured_at = measured_at - interval '91 days'"))
        measurements.add(connection, version, span, {"cases": 7}, reference=None, alert="x")
    reconcile.maintain(database, settings)
    assert [(row.version, row.reference) for row in _rows(database)] == [(version, None), (version, first)]
    with database.connect() as connection:
        assert measurements.reference(connection, version) == first
        assert measurements.reference(connection, past) is None
        live = measurements.latest(connection)
    assert live is not None
    assert (live.figures, live.alert) == ({"cases": 7}, "x")
