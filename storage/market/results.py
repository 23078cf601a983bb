"""Results of the analyses, by version: written once, and read in pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from psycopg import sql
from sqlalchemy import Connection, Select, Table, func, select

from storage import tables
from storage.market import rows
from storage.market.rows import Row


class Analysis(NamedTuple):
    """An analysis: its rows, its table, and the columns by which it can be filtered."""

    row: type[Row]
    table: Table
    filters: tuple[str, ...] = ()


ANALYSES = {
    "sales": Analysis(rows.Sale, tables.market_sales, ("level", "series")),
    "forecasts": Analysis(rows.Forecast, tables.market_forecasts, ("level", "series")),
    "trends": Analysis(rows.Trend, tables.market_trends, ("level", "series", "direction")),
    "baskets": Analysis(rows.Pair, tables.market_baskets, ("item_id",)),
    "segments": Analysis(rows.Segment, tables.market_segments, ("method",)),
    "cohorts": Analysis(rows.Cohort, tables.market_cohorts),
    "queries": Analysis(rows.Query, tables.market_queries, ("reason",)),
    "stock-risk": Analysis(rows.StockRisk, tables.market_stock_risks, ("item_id",)),
    "response": Analysis(rows.Response, tables.market_responses, ("item_id",)),
}
"""The analyses by their names, as in paths."""

Results = Mapping[str, Sequence[Row]]
"""The rows of each analysis by its name."""


def write(connection: Connection, version: int, results: Results) -> None:
    """Write the rows of a version, in their order."""
    for name, found in results.items():
        _copy(connection, version, ANALYSES[name], found)


def read(
    connection: Connection,
    version: int,
    name: str,
    *,
    most: int | None = None,
    after: int = -1,
    where: Mapping[str, str] | None = None,
) -> list[tuple[int, Row]]:
    """Return rows of a version with their places, those after a place, `most` at most, with these values."""
    analysis = ANALYSES[name]
    query: Select[Any] = select(analysis.table.c.place, *(analysis.table.c[field] for field in _fields(analysis)))
    query = query.where(analysis.table.c.version == version, analysis.table.c.place > after)
    for column, value in (where or {}).items():
        query = query.where(analysis.table.c[column] == value)
    found = connection.execute(query.order_by(analysis.table.c.place).limit(most))
    return [(place, analysis.row(*values)) for place, *values in found]


def counts(connection: Connection, version: int) -> dict[str, int]:
    """Return the number of rows of each analysis."""
    return {
        name: connection.execute(
            select(func.count()).select_from(analysis.table).where(analysis.table.c.version == version)
        ).scalar_one()
        for name, analysis in ANALYSES.items()
    }


def _copy(connection: Connection, version: int, analysis: Analysis, found: Iterable[Row]) -> None:
    names = ("version", "place", *_fields(analysis))
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(analysis.table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    driver: Any = connection.connection
    with driver.cursor() as cursor, cursor.copy(query) as copy:
        for place, row in enumerate(found):
            copy.write_row((version, place, *msgspec.structs.astuple(row)))


def _fields(analysis: Analysis) -> tuple[str, ...]:
    return analysis.row.__struct_fields__
