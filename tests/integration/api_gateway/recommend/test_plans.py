"""The plan of the hot reads: looked up by keys, even where it was made while the shop was empty."""

from __future__ import annotations

import re

from sqlalchemy import Engine

from api_gateway import database as connections
from storage.recommend import own_shelves, shelves
from storage.search import lookup

LOOKUP = re.compile(r"item_no = ranked\w*\.item_no")


def explain(database: Engine, query: str) -> list[str]:
    """Return the plan that a gateway's connection keeps for all parameters."""
    with database.connect() as connection:
        for name, value in connections._READING.items():
            connection.exec_driver_sql(f"SET {name} = '{value}'")
        return list(connection.exec_driver_sql(f"EXPLAIN (GENERIC_PLAN, COSTS OFF) {query}").scalars())


def test_each_ranked_item_is_looked_up_by_its_number(database: Engine) -> None:
    plan = explain(database, shelves._READ)
    lookups = [before for before, line in zip(plan, plan[1:], strict=False) if LOOKUP.search(line)]
    assert len(lookups) == 2, "the query reads the first shelf and the further ones"
    assert all("items_item_no_key" in line for line in lookups), "\n".join(plan)


def test_each_reason_is_looked_up_by_a_key(database: Engine) -> None:
    for query in (shelves._READ, shelves._PAGE):
        plan = explain(database, query)
        lookups = [before for before, line in zip(plan, plan[1:], strict=False) if line.endswith("because_no)")]
        assert len(lookups) == 1, "\n".join(plan)
        assert "items_item_no_key" in lookups[0]


def test_the_items_of_an_own_shelf_are_looked_up_by_their_numbers(database: Engine) -> None:
    plan = explain(database, own_shelves._READ)
    assert len([line for line in plan if "items_item_no_key" in line]) == 2, "\n".join(plan)


def test_each_hit_of_a_search_is_looked_up_by_its_number(database: Engine) -> None:
    for query in (lookup._READ, lookup._PAGE):
        plan = explain(database, query)
        assert len([line for line in plan if "items_item_no_key" in line]) == 1, "\n".join(plan)


def test_words_are_looked_up_in_their_index(database: Engine) -> None:
    for query in lookup._LEXICAL_BY.values():
        plan = explain(database, query)
        assert len([line for line in plan if "Bitmap Index Scan on items_words" in line]) == 4, "\n".join(plan)


def test_no_read_scans_a_table(database: Engine) -> None:
    for query in (
        own_shelves._READ,
        shelves._READ,
        shelves._PAGE,
        lookup._READ,
        lookup._PAGE,
        *lookup._LEXICAL_BY.values(),
    ):
        plan = explain(database, query)
        assert not [line for line in plan if "Seq Scan on items" in line or "Seq Scan on rankings" in line]
        assert not [line for line in plan if "Hash Join" in line or "Merge Join" in line]
