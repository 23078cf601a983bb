"""Streams of rows that are too many to fetch at once: CSV with a header, in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import sql
from sqlalchemy import Connection


def csv(connection: Connection, query: str, **values: Any) -> Iterator[bytes | memoryview]:
    """Yield the rows of a query, whose `{names}` are replaced by these values as literals."""
    literals = {name: sql.Literal(value) for name, value in values.items()}
    filled = sql.SQL(query).format(**literals)
    driver: Any = connection.connection
    with (
        driver.cursor() as cursor,
        cursor.copy(sql.SQL("COPY ({}) TO STDOUT WITH (FORMAT csv, HEADER true)").format(filled)) as copy,
    ):
        yield from copy
