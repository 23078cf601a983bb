"""Stores: every table with rows about single people, and which of its rows are about one person.

Deletion, export and the test that looks for forgotten tables all read this list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from storage.privacy.names import Names


@dataclass(frozen=True)
class Store:
    """A table, and the SQL condition of the rows about a person (`:shoppers`, `:orders`)."""

    table: str
    where: str

    @property
    def count(self) -> str:
        """The SQL that deletes the rows, as a query that returns how many there were."""
        return f"WITH gone AS (DELETE FROM {self.table} WHERE {self.where} RETURNING 1) SELECT count(*) FROM gone"

    @property
    def select(self) -> str:
        """The SQL that returns each row as JSON."""
        return f"SELECT to_jsonb(kept) FROM {self.table} AS kept WHERE {self.where}"


def _of_shopper(table: str, column: str = "shopper") -> Store:
    return Store(table, f"{column} = ANY(:shoppers)")


def _of_order(table: str) -> Store:
    return Store(table, "order_id = ANY(:orders)")


_ASKED = "SELECT key FROM search_answers WHERE shopper = ANY(:shoppers)"

BEHAVIOUR = (
    Store("event_ids", "event_id IN (SELECT event_id FROM events WHERE shopper = ANY(:shoppers))"),
    _of_shopper("events"),
)
"""Event ids first: they are found by the events."""
SHELVES = (
    Store(
        "due",
        f"(kind IN ('shopper', 'actor', 'reason') AND key = ANY(:shoppers)) OR (kind = 'query' AND key IN ({_ASKED})) "
        "OR (kind = 'order' AND key = ANY(:orders))",
    ),
    _of_shopper("shopper_traits"),
    _of_shopper("rankings", "owner"),
    _of_shopper("search_answers"),
    _of_shopper("actors"),
)
ORDERS = (
    _of_order("screening_log"),
    _of_order("reviews"),
    _of_order("screenings"),
    _of_order("order_labels"),
    _of_order("order_messages"),
    _of_order("orders"),
)
"""The orders themselves last: they are found by their own rows."""

ALL = (*BEHAVIOUR, *SHELVES, *ORDERS)

LETTERS = "dead_letters"
"""The table whose rows are found by what they say, not by a column (`storage.privacy.letters`)."""


def delete(connection: Connection, stores: Sequence[Store], names: Names) -> dict[str, int]:
    """Delete the rows about a person; return how many there were, by table, without tables that had none."""
    found = {
        store.table: int(connection.execute(text(store.count), parameters(names)).scalar_one()) for store in stores
    }
    return {table: count for table, count in found.items() if count}


def rows(connection: Connection, store: Store, names: Names) -> Iterator[Mapping[str, Any]]:
    """Yield the rows about a person as JSON values, a thousand of them in memory at a time."""
    options = {"stream_results": True, "yield_per": 1_000}
    yield from connection.execute(text(store.select), parameters(names), execution_options=options).scalars()


def parameters(names: Names) -> dict[str, list[str]]:
    """Return the parameters of the stores' conditions."""
    return {"shoppers": names.shoppers, "orders": names.orders}
