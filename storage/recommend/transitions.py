"""Transitions: how often one item followed another since the live model was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, delete, select, text

from storage import arrays, due, xid_horizon
from storage.bots import actors
from storage.json import ascii_text
from storage.registry.models import Live
from storage.tables import transitions

# Rows are locked in the order of their keys, so that two workers cannot deadlock.
_ADD = text("""
INSERT INTO transitions AS t (from_item, to_item, count, changed_xid)
SELECT from_item, to_item, count, CAST(CAST(pg_current_xact_id() AS text) AS bigint)
FROM unnest(CAST(:from_items AS text[]), CAST(:to_items AS text[]), CAST(:counts AS real[]))
    AS new(from_item, to_item, count)
ORDER BY from_item, to_item
ON CONFLICT (from_item, to_item) DO UPDATE SET count = t.count + excluded.count, changed_xid = excluded.changed_xid
""")

_QUIET = ", ".join(f"'{kind}'" for kind in due.QUIET_KINDS)

# Counts again from the events what the live version has counted: for each shopper the events after its training, up to
# the `through` of the shelf that it counted, in the order of `storage.events.histories`. Of the pairs of items that the
# given shoppers met, those are written whose count changes by more than rounding.
_RECOUNT = text(f"""
WITH gains AS (
    SELECT key AS kind, CAST(value AS float8) AS gain FROM jsonb_each_text(CAST(:gains AS jsonb))
    WHERE key NOT IN ({_QUIET})
), counted AS (
    SELECT owner AS shopper, through FROM rankings
    WHERE surface = 'home' AND counted_by = :version AND generated_at >= :switched_at AND through > :learnt_through
), kept AS (
    SELECT c.shopper, e.item_id, e.at, e.gain, array_agg(e.item_id) OVER (
        PARTITION BY c.shopper ORDER BY e.at, hashtextextended(e.event_id, 0), e.event_id
        ROWS BETWEEN CAST(:window AS int) PRECEDING AND 1 PRECEDING) AS before
    FROM counted AS c CROSS JOIN LATERAL (
        SELECT item_id, at, event_id, gain FROM events JOIN gains USING (kind)
        WHERE events.shopper = c.shopper AND at > :learnt_through AND at <= c.through
        UNION ALL (
            SELECT item_id, at, event_id, gain FROM events JOIN gains USING (kind)
            WHERE events.shopper = c.shopper AND at <= :learnt_through
            ORDER BY at DESC, hashtextextended(event_id, 0) DESC, event_id DESC LIMIT CAST(:window AS int))
    ) AS e
), pairs AS (
    SELECT k.shopper, b.item_id AS from_item, k.item_id AS to_item,
        k.gain / (cardinality(k.before) - b.place + 1) AS count
    FROM kept AS k, unnest(k.before) WITH ORDINALITY AS b(item_id, place) WHERE k.at > :learnt_through
), met AS (
    SELECT DISTINCT item_id FROM kept WHERE shopper = ANY(:shoppers)
), concerned AS (
    SELECT from_item, to_item FROM transitions
    WHERE from_item IN (SELECT item_id FROM met) AND to_item IN (SELECT item_id FROM met)
    UNION SELECT from_item, to_item FROM pairs WHERE shopper = ANY(:shoppers)
), sums AS (
    SELECT from_item, to_item, sum(count) AS count FROM pairs WHERE {actors.counts("pairs")} GROUP BY from_item, to_item
)
INSERT INTO transitions AS t (from_item, to_item, count, changed_xid)
SELECT from_item, to_item, coalesce(s.count, 0), CAST(CAST(pg_current_xact_id() AS text) AS bigint)
FROM concerned LEFT JOIN sums AS s USING (from_item, to_item)
WHERE s.count > 0 OR EXISTS (
    SELECT FROM transitions AS old WHERE old.from_item = concerned.from_item AND old.to_item = concerned.to_item)
ORDER BY from_item, to_item
ON CONFLICT (from_item, to_item) DO UPDATE SET count = excluded.count, changed_xid = excluded.changed_xid
WHERE abs(t.count - excluded.count) > 1e-4
RETURNING to_item
""")

_COLUMNS = (transitions.c.from_item, transitions.c.to_item, transitions.c.count)


@dataclass(frozen=True)
class Changes:
    """Pairs whose count changed (item before, item after, the whole count), and the horizon for the next read.

    A pair may come twice.
    """

    rows: list[tuple[str, str, float]]
    horizon: int


def add(connection: Connection, pairs: Mapping[tuple[str, str], float]) -> None:
    """Add to the counts of these pairs: (item before, item after)."""
    if pairs:
        parameters = {
            "from_items": arrays.texts(before for before, _ in pairs),
            "to_items": arrays.texts(after for _, after in pairs),
            "counts": arrays.floats([np.fromiter(pairs.values(), np.float32, len(pairs))]),
        }
        connection.execute(_ADD, parameters)


def recount(
    connection: Connection, live: Live, shoppers: Sequence[str], gains: Mapping[str, float], *, window: int
) -> list[str]:
    """Count again, without flagged bots, how often the items of `shoppers` followed each other.

    Returns the items after which a count changed. `gains` is what a transition to an event of each kind counts, and
    `window` how many earlier events each event is counted after. Nobody may count meanwhile: hold the live pointer
    (`models.locked`). Does nothing if it is not known what `live` was trained on.
    """
    if live.learnt_through is None:
        return []
    parameters = vars(live) | {"shoppers": list(shoppers), "gains": ascii_text(dict(gains)), "window": window}
    return sorted(set(connection.execute(_RECOUNT, parameters).scalars()))


def changed_since(connection: Connection, since: int) -> Changes:
    """Return the pairs counted since that horizon (0: all of them)."""
    following = xid_horizon.following(connection)
    rows = connection.execute(select(*_COLUMNS).where(transitions.c.changed_xid >= since))
    return Changes([(before, after, count) for before, after, count in rows], following)


def clear(connection: Connection) -> None:
    """Delete all counts: a new live model has its own."""
    connection.execute(delete(transitions))
