"""Versions of the market analysis: readers see finished ones, whatever happens to a run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import Engine, text

from storage.market import results, versions
from storage.market.results import ANALYSES
from storage.market.rows import Cohort, Sale
from tests.support import shelves

THROUGH = datetime(2026, 5, 1, tzinfo=UTC)
SALES = [Sale("total", "total", date(2026, 4, 27) - timedelta(weeks=n), 10.0 + n, 2.5) for n in range(5)]


def finished(database: Engine, **rows: list[results.Row]) -> int:
    with database.begin() as connection:
        version = versions.begin(connection)
    with database.begin() as connection:
        results.write(connection, version, rows)
        versions.finish(connection, version, through=THROUGH, currency="EUR", notes=["weak", "青"])
    return version


def test_the_fields_of_the_rows_are_the_columns_of_their_tables() -> None:
    for analysis in ANALYSES.values():
        columns = [column.name for column in analysis.table.columns]
        assert columns == ["version", "place", *analysis.row.__struct_fields__]
        assert set(analysis.filters) <= set(columns)


def test_readers_take_the_newest_finished_version(database: Engine) -> None:
    with database.connect() as connection:
        assert versions.newest(connection) is None
    first = finished(database, sales=SALES[:1])
    second = finished(database, sales=SALES)
    with database.begin() as connection:
        running = versions.begin(connection)
        results.write(connection, running, {"sales": SALES})
    with database.connect() as connection:
        newest = versions.newest(connection)
        assert newest is not None
        assert (newest.version, newest.through, newest.currency) == (second, THROUGH, "EUR")
        assert newest.notes == ("weak", "青")
        assert versions.named(connection, first) is not None
        assert versions.named(connection, running) is None
        assert results.counts(connection, second)["sales"] == 5


def test_pages_are_read_in_order_and_filtered(database: Engine) -> None:
    rows: list[results.Row] = [*SALES, msgspec.structs.replace(SALES[0], level="category", series="Tea")]
    version = finished(database, sales=rows, cohorts=[Cohort(date(2026, 1, 1), 0, 9, 9, 1.0, 0.7, 1.0)])
    with database.connect() as connection:
        first = results.read(connection, version, "sales", most=4)
        rest = results.read(connection, version, "sales", after=first[-1][0])
        assert [row for _, row in [*first, *rest]] == rows
        tea = results.read(connection, version, "sales", where={"series": "Tea"})
        assert [place for place, _ in tea] == [5]
        [(_, cohort)] = results.read(connection, version, "cohorts")
        assert cohort == Cohort(date(2026, 1, 1), 0, 9, 9, 1.0, 0.7, 1.0)


def test_old_versions_go_with_their_rows(database: Engine) -> None:
    made = [finished(database, sales=SALES) for _ in range(versions.KEPT + 2)]
    with database.connect() as connection:
        kept = list(connection.execute(text("SELECT DISTINCT version FROM market_sales ORDER BY 1")).scalars())
        assert kept == made[2:]
        assert versions.named(connection, made[0]) is None


def test_what_was_interrupted_is_failed_when_the_next_one_begins(database: Engine) -> None:
    with database.begin() as connection:
        killed = versions.begin(connection)
    finished(database)
    with database.connect() as connection:
        query = text("SELECT state, error FROM market_versions WHERE version = :version")
        state, error = connection.execute(query, {"version": killed}).one()
    assert state == versions.FAILED
    assert "interrupted" in error


def test_only_one_process_analyses_at_a_time(database: Engine) -> None:
    with (
        versions.exclusive(database),
        pytest.raises(versions.Runs, match="another process"),
        versions.exclusive(database),
    ):
        raise AssertionError
    with versions.exclusive(database):
        pass


def test_it_is_due_when_something_was_bought_since_and_the_last_one_is_old(database: Engine) -> None:
    with database.begin() as connection:
        shelves.announce(connection, "i1")
        assert not versions.is_due(connection, 24)
    bought = text("INSERT INTO events (event_id, shopper, kind, item_id, at) VALUES (:id, 'u', 'purchase', 'i1', :at)")
    with database.begin() as connection:
        connection.execute(text("SELECT ensure_event_partition('2026-05-01'), ensure_event_partition('2026-06-01')"))
        connection.execute(bought, {"id": "a", "at": THROUGH})
        assert versions.is_due(connection, 24)
        assert not versions.is_due(connection, 0)
    finished(database)
    with database.begin() as connection:
        connection.execute(text("UPDATE market_versions SET started_at = now() - interval '25 hours'"))
        assert not versions.is_due(connection, 24)
        connection.execute(bought, {"id": "b", "at": THROUGH + timedelta(days=40)})
        assert versions.is_due(connection, 24)
        assert not versions.is_due(connection, 26)
