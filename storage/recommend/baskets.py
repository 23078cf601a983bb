"""Bought together: items that are bought in the same baskets more often than by chance.

A basket is the purchases of one session, or of one shopper if the events have no session. The score of a pair is the
cosine of the two items' basket sets: baskets with both / sqrt(baskets with one × baskets with the other). Purchases of
flagged bots do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.bots import actors

# A wholesaler's basket of hundreds of lines says little about any pair in it, and its cost is quadratic.
_MOST_PER_BASKET = 200

_PARTNERS = text(f"""
WITH mine AS (
    SELECT DISTINCT item_id, basket FROM events WHERE item_id = ANY(:item_ids) AND basket IS NOT NULL
        AND {actors.counts("events")}
), size AS (
    SELECT basket, count(*) AS n FROM events WHERE basket IN (SELECT basket FROM mine) GROUP BY basket
), pairs AS (
    SELECT mine.item_id, e.item_id AS partner, count(DISTINCT mine.basket) AS both
    FROM mine JOIN size ON size.basket = mine.basket AND size.n <= :most
    JOIN events AS e ON e.basket = mine.basket AND e.item_id <> mine.item_id AND {actors.counts("e")}
    GROUP BY mine.item_id, e.item_id
), baskets AS (
    SELECT item_id, count(DISTINCT basket) AS n FROM events
    WHERE item_id IN (SELECT partner FROM pairs UNION SELECT item_id FROM mine) AND basket IS NOT NULL
        AND {actors.counts("events")}
    GROUP BY item_id
), scored AS (
    SELECT p.item_id, p.partner, p.both / sqrt(CAST(a.n AS float8) * b.n) AS score,
        row_number() OVER (PARTITION BY p.item_id ORDER BY p.both / sqrt(CAST(a.n AS float8) * b.n) DESC, p.partner)
            AS place
    FROM pairs AS p JOIN baskets AS a ON a.item_id = p.item_id JOIN baskets AS b ON b.item_id = p.partner
)
SELECT item_id, array_agg(partner ORDER BY place) AS partners, array_agg(score ORDER BY place) AS scores
FROM scored WHERE place <= :depth GROUP BY item_id
""")


def partners(connection: Connection, item_ids: Sequence[str], *, depth: int) -> Sequence[Row[Any]]:
    """Return rows of (item_id, partners, scores), best first, for those of `item_ids` that share a basket."""
    parameters = {"item_ids": list(item_ids), "depth": depth, "most": _MOST_PER_BASKET}
    return connection.execute(_PARTNERS, parameters).all()
