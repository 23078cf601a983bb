"""Delete what a person did, and what others see because of it.

Counts are additive: the person is flagged as a bot within the transaction, so that the recount leaves them out exactly
as it does with bots (`storage.bots.actors`), and deleted with their events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.bots import actors
from storage.privacy import stores
from storage.privacy.names import Names
from storage.recommend import transitions
from storage.registry.models import Live

_LOOKED_AT = 40
"""The first places of others' shelves, which are ranked again if a count of their items changed."""

_FLAG = text("""
INSERT INTO actors (shopper, flagged, reasons, detail, flagged_by)
SELECT shopper, true, '{}', '', 'erasure' FROM unnest(CAST(:shoppers AS text[])) AS shopper ORDER BY shopper
ON CONFLICT (shopper) DO UPDATE SET flagged = true
""")
_BASKETS = text("""
INSERT INTO due (kind, key)
SELECT DISTINCT 'basket', item_id FROM events
WHERE shopper = ANY(:shoppers) AND kind = 'purchase' AND item_id IS NOT NULL ORDER BY 2
ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL, later = false
""")
_ANY = text("SELECT EXISTS (SELECT FROM events WHERE shopper = ANY(:shoppers))")
_UNFLAG = text("DELETE FROM actors WHERE shopper = ANY(:shoppers) AND flagged_by = 'erasure'")
# Popular shelves and suggestions are computed again at the next look, whatever they saw last.
_COUNT_AGAIN = text("UPDATE watermarks SET value = '{}' WHERE name IN ('popularity', 'suggestions')")


@dataclass(frozen=True)
class Counting:
    """What the live version has counted: its gains by event kind, and how many earlier events each counts after."""

    live: Live
    gains: Mapping[str, float]
    window: int


def has_any(connection: Connection, names: Names) -> bool:
    """Return whether there is an event of the person."""
    return bool(connection.execute(_ANY, {"shoppers": names.shoppers}).scalar_one())


def delete(connection: Connection, names: Names, counting: Counting | None) -> dict[str, int]:
    """Delete the events, take their share out of the counts, and mark due what others are shown because of them.

    Hold the live pointer (`models.locked`) if `counting` is given. Returns the deleted rows by table.
    """
    given = {"shoppers": names.shoppers}
    connection.execute(_BASKETS, given)
    if counting is not None:
        connection.execute(_FLAG, given)
        changed = transitions.recount(connection, counting.live, names.shoppers, counting.gains, window=counting.window)
        actors.mark_shown(connection, changed, first=_LOOKED_AT)
        connection.execute(_UNFLAG, given)
    return stores.delete(connection, stores.BEHAVIOUR, names)


def count_again(connection: Connection) -> None:
    """Have the popular shelves and the suggestions counted again without the person. Waits for a count that runs."""
    connection.execute(_COUNT_AGAIN)
