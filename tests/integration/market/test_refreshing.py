"""Refreshing: a run becomes a version whose rows are what the shop is like, or a failed one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from storage.market import results, versions
from storage.pricing import proposals
from tests.support import market as shop
from workers import cli
from workers.market import analysis, refreshing, tasks
from workers.registry.errors import NotEnoughData
from workers.runtime import bootstrap
from workers.runtime.bootstrap import Services
from workers.settings import Settings


def rows(database: Engine, name: str, **where: str) -> list[Any]:
    with database.connect() as connection:
        version = versions.newest(connection)
        assert version is not None
        return [row for _, row in results.read(connection, version.version, name, where=where)]


def test_a_refresh_finds_what_the_shop_is_made_of(database: Engine, tmp_path: Path) -> None:
    shop.load(database, tmp_path)
    version = refreshing.refresh(database)
    with database.connect() as connection:
        newest = versions.newest(connection)
    assert newest is not None
    assert (newest.version, newest.currency, newest.notes) == (version, "EUR", ())
    assert [row.direction for row in rows(database, "trends", series=shop.RISING)] == ["rising"]
    assert {(pair.item_id, pair.partner_id) for pair in rows(database, "baskets")[:2]} == {
        shop.TOGETHER,
        shop.TOGETHER[::-1],
    }
    [risk] = rows(database, "stock-risk", item_id="item-0")
    assert (risk.stock, risk.out_in_2_weeks > 0.99, risk.order > 50) == (2, True, True)
    assert not rows(database, "stock-risk", item_id="item-7")
    queries = rows(database, "queries")
    assert (queries[0].query, queries[0].reason) == (shop.NOT_FOUND, "nothing clicked")
    assert queries[0].growth > 3
    weeks = rows(database, "forecasts", level="total")
    assert [row.week.isoformat() for row in weeks][:2] == ["2026-08-03", "2026-08-10"]
    assert all(row.low95 <= row.low80 <= row.mean <= row.high80 <= row.high95 for row in weeks)
    assert sum(one.share for one in rows(database, "segments", method="rfm")) == pytest.approx(1, abs=0.05)
    assert {one.cohort.isoformat() for one in rows(database, "cohorts")} >= {"2026-01-01", "2026-02-01"}


def test_no_row_of_any_table_names_a_customer(database: Engine, tmp_path: Path) -> None:
    shop.load(database, tmp_path)
    refreshing.refresh(database)
    everything = repr([rows(database, name) for name in results.ANALYSES])
    assert "ann-" not in everything
    assert "s-1" not in everything


def test_a_run_that_fails_says_why_and_leaves_the_version_before(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.load(database, tmp_path)
    before = refreshing.refresh(database)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr(analysis, "results", broken)
    with pytest.raises(RuntimeError, match="no luck"):
        refreshing.refresh(database)
    with database.connect() as connection:
        newest = versions.newest(connection)
        state, error = connection.execute(
            text("SELECT state, error FROM market_versions ORDER BY version DESC LIMIT 1")
        ).one()
    assert newest is not None
    assert newest.version == before
    assert (state, error) == (versions.FAILED, "RuntimeError: no luck")


def test_the_task_runs_once_a_day_and_only_after_a_purchase(
    database: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = Services(Settings(database_url=database_url, home=tmp_path))
    monkeypatch.setattr(bootstrap, "services", lambda: services)
    assert "nothing was bought" in tasks.refresh()["reason"]
    shop.load(database, tmp_path)
    found = tasks.refresh()
    assert found["rows"]["trends"] > shop.ITEMS
    assert tasks.refresh()["version"] is None
    services.engine.dispose()


def test_a_shop_without_purchases_makes_a_failed_version(database: Engine) -> None:
    with pytest.raises(NotEnoughData):
        refreshing.refresh(database)
    assert refreshing.answer(database)["version"] is None
    with database.connect() as connection:
        assert versions.newest(connection) is None


def command(url: str, home: Path, *words: str) -> Result:
    environ = {"RESHELF_DATABASE_URL": url, "RESHELF_HOME": str(home)}
    return CliRunner().invoke(cli.main, words, env=environ, prog_name="reshelf")


def test_the_commands_analyse_and_report(database: Engine, database_url: str, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    early = command(database_url, tmp_path, "report", "--out", str(out))
    assert early.exit_code == 1
    assert "run `reshelf market refresh` first" in early.output
    shop.load(database, tmp_path)
    done = command(database_url, tmp_path, "market", "refresh")
    assert done.exit_code == 0, done.output
    assert "version 1 is what /v1/market" in done.output
    assert '"version":2' in command(database_url, tmp_path, "market", "refresh", "--json").output
    written = command(database_url, tmp_path, "report", "--out", str(out))
    assert written.exit_code == 0, written.output
    assert "loads nothing else" in written.output
    assert "<h1>Market report</h1>" in out.read_text("utf-8")
    assert "What to reprice" not in out.read_text("utf-8")
    with database.begin() as connection:
        currency = connection.execute(text("SELECT currency FROM market_versions ORDER BY version DESC")).scalar()
        proposals.write(connection, [
            {
                "item_id": "i1", "price": 10.0, "proposed": 11.0, "currency": currency, "objective": "revenue",
                "expects": {"revenue": [105, 1, 2], "revenue_before": [100, 1, 2], "chance_of_better": 0.7},
                "reason": "", "bitten": ["step"], "propensity": 1.0, "policy": "test", "state": "proposed",
            }
        ])  # fmt: skip
    command(database_url, tmp_path, "report", "--out", str(out))
    assert "What to reprice" in out.read_text("utf-8")
    lost = command(database_url, tmp_path, "report", "--out", str(tmp_path / "none" / "x.html"))
    assert (lost.exit_code, "cannot be written" in lost.output) == (1, True)


def test_a_shop_of_one_purchase_has_an_analysis_that_says_what_is_missing(
    database: Engine, database_url: str, tmp_path: Path
) -> None:
    bought = "INSERT INTO events (event_id, shopper, kind, item_id, at) VALUES ('a', 'u', 'purchase', 'i1', :at)"
    with database.begin() as connection:
        connection.execute(text("SELECT ensure_event_partition('2026-05-01')"))
        connection.execute(text(bought), {"at": datetime(2026, 5, 6, tzinfo=UTC)})
    refreshing.refresh(database)
    with database.connect() as connection:
        newest = versions.newest(connection)
    assert newest is not None
    assert newest.notes[0].startswith("There are 0 whole weeks of sales")
    out = tmp_path / "out.html"
    written = command(database_url, tmp_path, "report", "--out", str(out))
    assert written.exit_code == 0, written.output
    assert "There are 0 whole weeks" in out.read_text("utf-8")
