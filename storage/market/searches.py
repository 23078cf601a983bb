"""Searches by their query: how often, with or without a click, and how many items the kept answer has.

Queries of fewer than three shoppers are private, and left out. Flagged bots do not count.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from storage.bots import actors
from storage.market import streams

WEEKS, RECENT_WEEKS = 8, 2
"""The weeks of searches that are looked at, and those of them that count as recent."""
LEAST_SHOPPERS = 3

_FOLDED = "btrim(regexp_replace(folded({0}), '\\s+', ' ', 'g'))"

# A kept answer without a filter says how many items there are.
_QUERIES = f"""
WITH newest AS (
    SELECT max(at) AS at FROM events WHERE kind = 'search' AND at <= now()
), asked AS (
    SELECT {_FOLDED.format("e.query")} AS key, e.query, e.shopper, e.request_id,
        e.at > newest.at - interval '{RECENT_WEEKS} weeks' AS recent
    FROM newest, events AS e
    WHERE e.kind = 'search' AND e.at > newest.at - interval '{WEEKS} weeks' AND e.at <= newest.at
        AND {actors.counts("e")}
), clicked AS (
    SELECT DISTINCT e.request_id FROM newest, events AS e
    WHERE e.at > newest.at - interval '{WEEKS} weeks' AND e.request_id IS NOT NULL
        AND e.kind IN ('click', 'add_to_cart', 'purchase')
), kept AS (
    SELECT {_FOLDED.format("question ->> 'query'")} AS key, max(total) AS found FROM search_answers
    WHERE item_nos IS NOT NULL AND question - 'query' - 'sort' - 'explain' = '{{{{}}}}'::jsonb GROUP BY 1
)
SELECT min(asked.query) AS query, count(*) AS searches, count(DISTINCT asked.shopper) AS shoppers,
    count(clicked.request_id) AS clicked, count(*) FILTER (WHERE asked.recent) AS recent, min(kept.found) AS found
FROM asked LEFT JOIN clicked USING (request_id) LEFT JOIN kept ON kept.key = asked.key
WHERE asked.key <> '' GROUP BY asked.key HAVING count(DISTINCT asked.shopper) >= {LEAST_SHOPPERS}
ORDER BY searches DESC, asked.key LIMIT {{most}}
"""


def queries_csv(connection: Connection, *, most: int) -> Iterator[bytes | memoryview]:
    """Yield (query, searches, shoppers, clicked, recent, found) of the queries that are searched for most.

    `found` is empty where no answer is kept.
    """
    yield from streams.csv(connection, _QUERIES, most=most)
