"""What prices depend on and has moved since the last look at them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.bots import actors

_LAST = text("SELECT at, now() - at AS age FROM price_decisions ORDER BY at DESC LIMIT 1")
_FACTS = text("""
SELECT count(*) FROM price_facts JOIN price_decisions AS d USING (item_id) WHERE d.at = :at AND moved_at > :at
""")
_STOCK = text("""
SELECT count(DISTINCT item_id) FROM item_availability AS a JOIN price_decisions AS d USING (item_id)
WHERE d.at = :at AND a.at > :at
""")
# Four standard deviations of counts that vary by a fifth more than chance: too few can be told only where many were
# expected. A price that is not applied yet sells as the one before, so decisions that kept a price are compared alone.
_SURPRISES = text(f"""
WITH expected AS (
    SELECT item_id, units[array_position(prices, chosen)] * extract(epoch FROM now() - at) / 604800 AS units
    FROM price_decisions WHERE at = :at AND chosen = price
), sold AS (
    SELECT item_id, sum(quantity) AS units FROM events AS e
    WHERE kind = 'purchase' AND at >= :at AND at <= now() AND item_id IN (SELECT item_id FROM expected)
        AND {actors.counts("e")}
    GROUP BY item_id
)
SELECT count(*) FROM expected AS e LEFT JOIN sold AS s USING (item_id)
WHERE (coalesce(s.units, 0) - e.units) ^ 2 > 16 * (e.units + 0.04 * e.units ^ 2) AND coalesce(s.units, 0) + e.units > 5
""")


def last_look(connection: Connection) -> Row[Any] | None:
    """Return when prices were looked at last (`at`), and how long ago (`age`); None if they never were."""
    return connection.execute(_LAST).one_or_none()


def since(connection: Connection, at: datetime) -> dict[str, int]:
    """Return of how many items something moved since the look at this time, by what.

    `facts`: cost, competitor's price or promotion; `stock`: it can no longer be had, or can again; `demand`: far more
    or less was sold than expected.
    """
    found = {"facts": _FACTS, "stock": _STOCK, "demand": _SURPRISES}
    return {name: int(connection.execute(query, {"at": at}).scalar_one()) for name, query in found.items()}
