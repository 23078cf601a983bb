"""Popularity with time decay: overall, by category, and among the shoppers who share a trait.

An event counts the weight of its kind, halved for every half-life between it and the newest event. One shopper counts
for one item at most as much as one event of the greatest weight at the time of their last event: many shoppers make an
item popular, not many clicks. Flagged bots do not count. Only events of the last window count, so the cost depends on
the shop's traffic and not on its age.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage import throttle
from storage.bots import actors
from storage.json import ascii_text

# Rows are written in one statement; a shelf that has become empty is deleted.
_REFRESH = text(f"""
WITH latest AS (
    SELECT max(at) AS at FROM events
), weights AS (
    SELECT key AS kind, CAST(value AS float8) AS weight FROM jsonb_each_text(CAST(:weights AS jsonb))
), touched AS (
    SELECT e.item_id, e.shopper,
        least(sum(w.weight * power(2, -extract(epoch FROM latest.at - e.at) / :half_life)),
            :most * power(2, -extract(epoch FROM min(latest.at - e.at)) / :half_life)) AS score
    FROM latest, events AS e JOIN weights AS w ON w.kind = e.kind
    WHERE e.at >= latest.at - :window * interval '1 second' AND e.item_id IS NOT NULL AND {actors.counts("e")}
    GROUP BY e.item_id, e.shopper
), owned AS (
    SELECT '' AS owner, 'popular' AS surface, item_id, sum(score) AS score FROM touched GROUP BY item_id
    UNION ALL
    SELECT 'category=' || i.category, 'popular', item_id, sum(score)
    FROM touched JOIN items AS i USING (item_id) WHERE i.category IS NOT NULL GROUP BY i.category, item_id
    UNION ALL
    SELECT t.name || '=' || t.value, 'segment', item_id, sum(score)
    FROM touched JOIN shopper_traits AS t USING (shopper) GROUP BY t.name, t.value, item_id
), placed AS (
    SELECT owner, surface, i.item_no, score,
        row_number() OVER (PARTITION BY owner, surface ORDER BY score DESC, item_id) AS place
    FROM owned JOIN items AS i USING (item_id) WHERE i.available AND score > 0
), shelves AS (
    SELECT owner, surface, array_agg(CAST(item_no AS integer) ORDER BY place) AS item_nos,
        array_agg(CAST(score AS real) ORDER BY place) AS scores
    FROM placed WHERE place <= :depth GROUP BY owner, surface
), gone AS (
    DELETE FROM rankings AS r WHERE surface IN ('popular', 'segment')
        AND NOT EXISTS (SELECT FROM shelves AS s WHERE s.owner = r.owner AND s.surface = r.surface)
)
INSERT INTO rankings AS r (owner, surface, item_nos, scores, model_version, through)
SELECT owner, surface, item_nos, scores, 'popularity', latest.at FROM shelves, latest ORDER BY owner, surface
ON CONFLICT (owner, surface) DO UPDATE SET item_nos = excluded.item_nos, scores = excluded.scores,
    generated_at = now(), through = excluded.through
""")

_WORK = "popularity"
_STATE = text("""
SELECT (SELECT coalesce(sum(written), 0) FROM intake_counts) || '/'
    || (SELECT coalesce(max(changed_xid), 0) FROM items) || '/' || (SELECT coalesce(sum(changes), 0) FROM actors)
""")


@dataclass(frozen=True)
class Decay:
    """Half-life and window, in seconds."""

    half_life: float
    window: float


def refresh(connection: Connection, weights: Mapping[str, float], decay: Decay, *, depth: int) -> bool:
    """Rewrite the popular and segment shelves, `depth` items each; False if it is not time yet.

    Of several callers at once, one does the work and the others return False.
    """
    shift = throttle.begin(connection, _WORK, _STATE)
    if shift is None:
        return False
    parameters = {"weights": ascii_text(dict(weights)), "half_life": decay.half_life, "window": decay.window}
    connection.execute(_REFRESH, parameters | {"most": max(weights.values()), "depth": depth})
    throttle.end(connection, shift)
    return True
