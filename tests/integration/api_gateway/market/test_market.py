"""The market over HTTP: pages of one version, as JSON and as CSV that is safe to open."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from sqlalchemy import Engine

from storage.market import results, versions
from storage.market.results import ANALYSES
from storage.market.rows import (
    Cohort,
    Forecast,
    Pair,
    Query,
    Response,
    Row,
    Sale,
    Segment,
    StockRisk,
    Trend,
)

WEEK = date(2026, 4, 27)
FORMULA = '=HYPERLINK("http://x.example","hi")'
CHINESE = "青花瓷, 茶壶"


def sale(number: int) -> Sale:
    return Sale("category" if number % 2 else "total", f"c{number}", WEEK, float(number), 1.5)


ROWS: dict[str, list[Row]] = {
    "sales": [sale(number) for number in range(7)],
    "forecasts": [Forecast("item", "i1", FORMULA, WEEK, 2.0, 1.0, 3.0, 0.5, 4.0)],
    "trends": [
        Trend("item", "i1", CHINESE, None, 4.0, 2.0, 9.5, "rising", 0.1, 0.0, 0.2, 0.01, WEEK, 1.0, 4.0, [1.0, 2.5]),
        Trend("item", "i2", "b", "Tea", 4.0, 2.0, 9.5, "steady", 0.1, 0.0, 0.2, 0.9, None, None, None, []),
    ],
    "baskets": [Pair("i1", FORMULA, "i2", "@x", 9, 0.1, 0.5, 3.0, 2.0, 0.001)],
    "segments": [Segment("taste", "taste 1", "likes Tea", 9, 1.0, None, None, None, None)],
    "cohorts": [Cohort(date(2026, 1, 1), 2, 10, 4, 0.4, 0.2, 0.6)],
    "queries": [Query("+cmd", "nothing found", 9, 4, 0.0, None, 5, 2.0, 0.01)],
    "stock-risk": [StockRisk("i1", "\tx", "Tea", 3, 2.0, 1.5, 0.6, 0.9, 1.0, 12.0)],
    "response": [Response("i1", "-x", None, 9.5, 40, -2.0, -3.0, -1.0, 3, None, None, None)],
}


def publish(database: Engine, rows: dict[str, list[Row]] | None = None) -> int:
    with database.begin() as connection:
        version = versions.begin(connection)
        results.write(connection, version, ROWS if rows is None else rows)
        through = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=version)
        versions.finish(connection, version, through=through, currency="EUR", notes=["weak"])
    return version


def lines(content: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content)))


def test_before_the_first_analysis_the_answer_says_what_to_do(gateway: Any) -> None:
    for path in ("/v1/market", *(f"/v1/market/{name}" for name in ANALYSES)):
        answer = gateway.get(path)
        assert answer.status_code == 404
        assert "reshelf market refresh" in answer.json()["error"]["fix"]


def test_the_overview_names_the_version_and_its_tables(database: Engine, gateway: Any) -> None:
    version = publish(database)
    found = gateway.get("/v1/market").json()
    assert found["about"]["version"] == version
    assert (found["about"]["currency"], found["about"]["notes"]) == ("EUR", ["weak"])
    assert {table["path"]: table["rows"] for table in found["tables"]} == {
        f"/v1/market/{name}": len(rows) for name, rows in ROWS.items()
    }


@pytest.mark.parametrize("name", ANALYSES)
def test_json_is_as_the_document_says_and_csv_has_the_same_rows(database: Engine, gateway: Any, name: str) -> None:
    publish(database)
    answer = gateway.get(f"/v1/market/{name}")
    document = gateway.get("/schema/openapi.json").json()
    said = document["paths"][f"/v1/market/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator(said | {"components": document["components"]}).validate(answer.json())
    rows = answer.json()["rows"]
    assert len(rows) == len(ROWS[name])
    table = gateway.get(f"/v1/market/{name}?format=csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["x-market-version"] == str(answer.json()["about"]["version"])
    assert table.headers["x-market-through"].startswith("20")
    assert [list(line) for line in lines(table.text)] == [list(row) for row in rows]


def test_pages_stay_with_the_version_of_the_first_one(database: Engine, gateway: Any) -> None:
    first = publish(database)
    page = gateway.get("/v1/market/sales?limit=3").json()
    publish(database, {"sales": []})
    found = page["rows"]
    while page["next_cursor"] is not None:
        page = gateway.get("/v1/market/sales", params={"limit": 3, "cursor": page["next_cursor"]}).json()
        assert page["about"]["version"] == first
        found += page["rows"]
    assert [row["series"] for row in found] == [f"c{number}" for number in range(7)]
    assert gateway.get("/v1/market/sales").json()["rows"] == []


def test_the_cursor_of_a_table_is_a_header(database: Engine, gateway: Any) -> None:
    publish(database)
    table = gateway.get("/v1/market/sales?limit=5", headers={"Accept": "text/csv"})
    rest = gateway.get(
        "/v1/market/sales", params={"cursor": table.headers["x-next-cursor"]}, headers={"Accept": "text/csv"}
    )
    assert "x-next-cursor" not in rest.headers
    assert [line["series"] for line in lines(table.text) + lines(rest.text)] == [f"c{n}" for n in range(7)]


def test_filters_leave_the_rows_that_have_the_value(database: Engine, gateway: Any) -> None:
    publish(database)
    page = gateway.get("/v1/market/sales?level=category&limit=2").json()
    assert [row["series"] for row in page["rows"]] == ["c1", "c3"]
    rest = gateway.get("/v1/market/sales", params={"level": "category", "cursor": page["next_cursor"]}).json()
    assert [row["series"] for row in rest["rows"]] == ["c5"]
    assert gateway.get("/v1/market/trends?direction=rising&series=i1").json()["rows"][0]["title"] == CHINESE


def test_the_document_names_the_filters_and_their_values(gateway: Any) -> None:
    document = gateway.get("/schema/openapi.json").json()
    said = {one["name"]: one for one in document["paths"]["/v1/market/trends"]["get"]["parameters"]}
    assert set(said) == {"limit", "cursor", "format", "level", "series", "direction"}
    assert set(said["direction"]["schema"]["enum"]) == {"rising", "falling", "steady"}
    assert all(one["description"] for one in said.values())


def test_no_cell_is_a_formula(database: Engine, gateway: Any) -> None:
    publish(database)
    [forecast] = lines(gateway.get("/v1/market/forecasts?format=csv").text)
    assert forecast["title"] == "'" + FORMULA
    [pair] = lines(gateway.get("/v1/market/baskets?format=csv").text)
    assert pair["partner_title"] == "'@x"
    [answered] = lines(gateway.get("/v1/market/response?format=csv").text)
    assert (answered["title"], answered["elasticity"], answered["uplift"]) == ("'-x", "-2.0", "")
    [first, _] = lines(gateway.get("/v1/market/trends?format=csv").text)
    assert (first["title"], first["recent"], first["changed_on"]) == (CHINESE, "1.0 2.5", "2026-04-27")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("cursor=YS8xLzI", "cursor"),
        ("cursor=c2FsZXMvOTk5LzE", "cursor"),
        ("format=xml", "format"),
        ("levle=item", "levle"),
        ("level=shop", "level"),
        ("series=%00", "series"),
    ],
)
def test_what_cannot_be_read_is_named(database: Engine, gateway: Any, query: str, field: str) -> None:
    publish(database)
    answer = gateway.get(f"/v1/market/sales?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


def test_a_key_is_asked_for_where_keys_are_set(serve: Any) -> None:
    gateway = serve(api_keys="secret")
    for path in ("/v1/market", "/v1/market/sales"):
        assert gateway.get(path).status_code == 401
        assert gateway.get(path, headers={"X-API-Key": "secret"}).status_code == 404
