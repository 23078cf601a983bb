"""Velocities: how much came before an order from its customer, payment, device, IP, contacts … within some windows.

The entities are customer, payment, device, IP and address. Orders count as they are stored, screened or not, so the
rules have velocities even if the model does not run. Orders of the same second count too: velocities are to detect
bursts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, TextClause, text

MOST = 1_000
"""Most orders of one entity that are counted; a busier entity gets this number."""

_WINDOWS = {"1h": 3_600, "1d": 86_400, "7d": 604_800}
_ENTITIES = ("customer", "payment", "device", "ip", "address", "email", "phone")
_GIVEN = ("at", "tie", *_ENTITIES)
_COUNTS = ", ".join(
    f"count(*) FILTER (WHERE p.at > q.at - {seconds}) AS orders_{window}, "
    f"coalesce(sum(p.cents) FILTER (WHERE p.at > q.at - {seconds}), 0)::float8 / 100 AS amount_{window}"
    for window, seconds in _WINDOWS.items()
)


def _counted(entity: str) -> str:
    return f"""
    SELECT '{entity}' AS entity, {_COUNTS}, count(DISTINCT p.customer) AS customers_7d FROM (
        SELECT at, cents, customer FROM orders
        WHERE {entity} = q.{entity} AND {entity} <> 0 AND at > q.at - 604800 AND at <= q.at AND tie <> q.tie
        ORDER BY at DESC, tie DESC LIMIT {MOST}
    ) AS p"""


def statement(entities: Iterable[str], parameter: Any) -> str:
    """Return the query for these entities; `parameter` returns the placeholder of a column."""
    arrays = ", ".join(f"CAST({parameter(name)} AS bigint[])" for name in _GIVEN)
    counted = " UNION ALL ".join(_counted(entity) for entity in entities)
    return f"""
SELECT q.n, v.* FROM unnest({arrays}) WITH ORDINALITY AS q({", ".join(_GIVEN)}, n)
    CROSS JOIN LATERAL ({counted}) AS v
"""


@lru_cache(maxsize=64)
def _query(entities: tuple[str, ...]) -> TextClause:
    """The statement for SQLAlchemy, cached: parsing it takes longer than running it."""
    return text(statement(entities, lambda name: f":{name}"))


def entities(wanted: Iterable[str]) -> list[str]:
    """Return the entities that have to be counted for velocities of these names."""
    asked = {name.partition("_")[0] for name in wanted}
    return [entity for entity in _ENTITIES if entity in asked]


def read(connection: Connection, orders: Sequence[Any], wanted: Iterable[str]) -> list[dict[str, float]]:
    """Return the velocities `wanted` of each order, by name: counts, and amounts in the orders' currency."""
    names = set(wanted)
    if not names:
        return [{} for _ in orders]
    query = _query(tuple(entities(names)))
    parameters = {name: [getattr(order, name) for order in orders] for name in _GIVEN}
    rows = [row._mapping for row in connection.execute(query, parameters)]
    return from_rows(rows, len(orders), names)


async def read_one(connection: Any, order: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, float]:
    """Return the velocities of one order (a row of `orders.as_row`), on a connection of asyncpg."""
    names = set(wanted)
    if not names:
        return {}
    query = statement(entities(names), lambda name: f"${_GIVEN.index(name) + 1}")
    rows = await connection.fetch(query, *([order[name]] for name in _GIVEN))
    return from_rows(map(dict, rows), 1, names)[0]


def from_rows(rows: Iterable[Any], count: int, wanted: set[str]) -> list[dict[str, float]]:
    """Return the velocities of each order from the rows of the query; an entity that an order lacks has none."""
    found: list[dict[str, float]] = [{} for _ in range(count)]
    for row in rows:
        for name in row:
            fact = f"{row['entity']}_{name}"
            if fact in wanted:
                found[row["n"] - 1][fact] = float(row[name])
    return found
