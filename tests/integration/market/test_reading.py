"""What the analyses read: the tables and the file of the same shop say the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars import testing
from sqlalchemy import Engine, text

from storage.bots import actors
from storage.bots.actors import Suspicion
from tests.support import market as shop
from workers.market import database as tables
from workers.market import files
from workers.registry.errors import NotEnoughData


def close(left: pl.DataFrame, right: pl.DataFrame, by: list[str]) -> None:
    testing.assert_frame_equal(left.sort(by), right.sort(by), check_dtypes=False, rel_tol=1e-9)


def test_the_tables_and_the_file_of_a_shop_say_the_same(database: Engine, tmp_path: Path) -> None:
    shop.load(database, tmp_path)
    ours, theirs = tables.read(database), files.read(tmp_path / "events.csv", tmp_path / "items.csv")
    assert (ours.through, ours.weeks, ours.currency) == (theirs.through, theirs.weeks, "EUR")
    assert ours.basket_items == theirs.basket_items
    assert ours.baskets.baskets == theirs.baskets.baskets == shop.WEEKS * 40
    assert (ours.baskets.with_pair_IxI != theirs.baskets.with_pair_IxI).nnz == 0
    close(ours.demand, theirs.demand, ["level", "series", "week"])
    close(ours.items, theirs.items, ["item_id"])
    close(ours.customers, theirs.customers, ["days_since", "amount"])
    close(ours.cohorts, theirs.cohorts, ["cohort", "age"])
    close(ours.queries, theirs.queries, ["query"])
    assert ours.queries["found"].null_count() == ours.queries.height
    assert shop.NOT_FOUND in ours.queries["query"]


def test_weeks_are_whole_and_the_last_one_counts_from_its_sunday_on(database: Engine, tmp_path: Path) -> None:
    shop.load(database, tmp_path)
    found = tables.read(database)
    assert found.weeks[0] == date(2026, 1, 5)
    assert found.weeks[-1] == date(2026, 7, 27)
    with database.begin() as connection:
        connection.execute(text("DELETE FROM events WHERE at >= '2026-08-01'"))
    assert tables.read(database).weeks[-1] == date(2026, 7, 20)


def test_flagged_bots_count_for_nothing(database: Engine, tmp_path: Path) -> None:
    shop.load(database, tmp_path)
    with database.connect() as connection:
        shoppers = list(connection.execute(text("SELECT DISTINCT shopper FROM events")).scalars())
    with database.begin() as connection:
        actors.flag(connection, [Suspicion(name, ["velocity"], "fast") for name in shoppers[1:]], by=actors.DETECTOR)
    found = tables.read(database)
    assert found.customers.height <= 1
    assert found.demand.filter(level="total")["units"].sum() < 200
    assert found.queries.height == 0


def test_a_basket_is_counted_whole_however_the_stream_is_cut(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.load(database, tmp_path)
    whole = tables.read(database).baskets
    monkeypatch.setattr(tables, "_LINES_AT_ONCE", 7)
    cut = tables.read(database).baskets
    assert cut.baskets == whole.baskets
    assert (cut.with_item_I == whole.with_item_I).all()
    assert (cut.with_pair_IxI != whole.with_pair_IxI).nnz == 0


def test_kept_answers_without_a_filter_say_how_many_items_a_query_finds(database: Engine, tmp_path: Path) -> None:
    shop.load(database, tmp_path)
    made = "INSERT INTO search_answers (key, question, item_nos, total)"
    answer = text(f"{made} VALUES (:key, CAST(:question AS jsonb), '{{}}', :total)")
    asked = [
        {"key": "a", "question": '{"query": "téa pot", "explain": true}', "total": 0},
        {"key": "b", "question": '{"query": "lamp", "brands": ["x"]}', "total": 0},
        {"key": "c", "question": '{"query": "lamp"}', "total": 7},
    ]
    with database.begin() as connection:
        connection.execute(answer, asked)
    found = dict(tables.read(database).queries.select("query", "found").iter_rows())
    assert found == {"Tea  pot": 0, "lamp": 7, shop.NOT_FOUND: None}


def test_tastes_are_mean_vectors_by_the_live_model(database: Engine, tmp_path: Path) -> None:
    shop.load(database, tmp_path)
    assert tables.read(database).tastes_CxD.shape == (0, 1)
    with database.begin() as connection:
        made = "INSERT INTO model_versions (version, capability, config, metrics)"
        connection.execute(text(f"{made} VALUES ('m', 'recommend', '{{}}', '{{}}')"))
        connection.execute(text("INSERT INTO live_models (capability, version) VALUES ('recommend', 'm')"))
        connection.execute(
            text("INSERT INTO item_vectors SELECT 'm', item_id, CAST('[1,' || item_no || ']' AS vector) FROM items")
        )
    found = tables.read(database)
    assert found.tastes_CxD.shape == (found.customers.height, 2)
    assert np.allclose(found.tastes_CxD[:, 0], 1)
    assert len(found.vectors) == shop.ITEMS


def test_a_shop_that_never_sold_is_told_what_to_do(database: Engine) -> None:
    with pytest.raises(NotEnoughData, match="send purchases"):
        tables.read(database)
