"""Customers as numbers: when and for how much they buy, how many return, and the direction of their taste.

Nothing here says who they are: no row has an id. Visitors without a login are left out, since each visit would be a new
customer; so are flagged bots.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

from storage.bots import actors
from storage.market import streams
from storage.market.demand import Span

_BOUGHT = (
    "kind = 'purchase' AND e.item_id IS NOT NULL AND shopper NOT LIKE 'session:%'"
    f" AND at <= {{through}} AND {actors.counts('e')}"
)
# Purchases without a session are one order for each day.
_ORDER = "coalesce(e.session_id, CAST(CAST(e.at AS date) AS text))"

_RECENCY = f"""
SELECT extract(epoch FROM {{through}}::timestamptz - max(e.at)) / 86400 AS days_since,
    count(DISTINCT {_ORDER}) AS orders, sum(coalesce(e.value, e.quantity * i.price, 0)) AS amount
FROM events AS e LEFT JOIN items AS i USING (item_id) WHERE e.at >= {{since}} AND {_BOUGHT} GROUP BY shopper
"""

_COHORTS = f"""
SELECT cohort, age, count(*) AS active FROM (
    SELECT min(month) OVER (PARTITION BY shopper) AS cohort,
        CAST(extract(year FROM age(month, min(month) OVER (PARTITION BY shopper))) * 12
            + extract(month FROM age(month, min(month) OVER (PARTITION BY shopper))) AS int) AS age
    FROM (
        SELECT DISTINCT shopper, CAST(date_trunc('month', at) AS date) AS month FROM events AS e WHERE {_BOUGHT}
    ) AS months
) AS aged GROUP BY 1, 2 ORDER BY 1, 2
"""

# A sample that does not depend on the order of the rows.
_TASTES = text(f"""
SELECT vector_send(avg(v.embedding)) AS sent
FROM (SELECT DISTINCT shopper, item_id FROM events AS e WHERE at >= :since AND {_BOUGHT.format(through=":through")})
    AS bought
JOIN live_models AS l ON l.capability = 'recommend'
JOIN item_vectors AS v ON v.model_version = l.version AND v.item_id = bought.item_id
GROUP BY shopper ORDER BY hashtextextended(shopper, 0) LIMIT :most
""")


def recency_csv(connection: Connection, looked: Span) -> Iterator[bytes | memoryview]:
    """Yield (days_since, orders, amount) of each customer: days since the last order, orders, and money spent."""
    yield from streams.csv(connection, _RECENCY, since=looked.since, through=looked.through)


def cohorts_csv(connection: Connection, looked: Span) -> Iterator[bytes | memoryview]:
    """Yield (cohort, age, active): by month of the first order, how many customers bought `age` months later."""
    yield from streams.csv(connection, _COHORTS, through=looked.through)


def tastes(connection: Connection, looked: Span, *, most: int) -> list[bytes]:
    """Return the mean of the vectors of what each customer bought, of `most` customers: big-endian 32-bit floats.

    There are none without a live recommender.
    """
    values = {"since": looked.since, "through": looked.through, "most": most}
    # pgvector sends the number of components and 16 unused bits before the components.
    return [bytes(row.sent)[4:] for row in connection.execute(_TASTES, values)]
