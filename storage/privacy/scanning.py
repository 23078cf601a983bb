"""Scan the whole database for a text: every column of every table, whether the code knows it or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection, text

# Partitions are read through their table.
_COLUMNS = text("""
SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, NULL) AS type
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND a.attnum > 0
    AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
""")


def scan(connection: Connection, texts: Sequence[str], is_hit: Callable[[str], bool]) -> Counter[str]:
    """Return how many rows have a value with a hit, by `table.column`.

    A value is looked at by `is_hit` if it has one of the `texts` in it. Arrays and JSON are read as text, bytes with
    the characters that are ASCII.
    """
    found: Counter[str] = Counter()
    for table, columns in _tables(connection):
        names = list(columns)
        for row in connection.execute(text(_query(connection, table, columns)), {"texts": list(texts)}):
            found.update(f"{table}.{name}" for name, value in zip(names, row, strict=True) if value and is_hit(value))
    return found


def _tables(connection: Connection) -> Iterator[tuple[str, dict[str, str]]]:
    tables: dict[str, dict[str, str]] = {}
    for row in connection.execute(_COLUMNS):
        tables.setdefault(row.table, {})[row.column] = row.type
    yield from tables.items()


def _query(connection: Connection, table: str, columns: dict[str, str]) -> str:
    quote = connection.dialect.identifier_preparer.quote_identifier
    shown = [
        f"encode({quote(name)}, 'escape')" if kind == "bytea" else f"CAST({quote(name)} AS text)"
        for name, kind in columns.items()
    ]
    listed = ", ".join(shown)
    return f"""
    SELECT {listed} FROM {quote(table)}
    WHERE EXISTS (SELECT FROM unnest(CAST(:texts AS text[])) AS t WHERE strpos(concat_ws(chr(10), {listed}), t) > 0)
    """
