"""Histories: each shopper's events in event time, and the items that they should not be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, text

from storage import arrays

# The event kinds that hide an item from `home`, by policy; every policy hides dismissed items.
HIDDEN_KINDS: Mapping[str, tuple[str, ...]] = {
    "hide_purchased": ("purchase", "dismiss"),
    "hide_seen": ("view", "click", "add_to_cart", "wishlist", "purchase", "rating", "dismiss"),
    "show_all": ("dismiss",),
}

# These kinds have their own index; only the policy `hide_seen` needs other kinds.
_DECISIONS = "'purchase', 'dismiss'"


def hidden_items(shopper: str, kinds: str) -> str:
    """Return a query of the items on which shoppers had events of these kinds.

    `shopper` is a condition on the column of that name, `kinds` an SQL expression for an array of text.
    """
    return f"""
    SELECT item_id FROM events
    WHERE {shopper} AND kind IN ({_DECISIONS}) AND kind = ANY({kinds}) AND item_id IS NOT NULL
    UNION ALL
    SELECT item_id FROM events
    WHERE NOT {kinds} <@ ARRAY[{_DECISIONS}] AND {shopper} AND kind NOT IN ({_DECISIONS}) AND kind = ANY({kinds})
        AND item_id IS NOT NULL"""


# Late and shuffled events give the same history, because it is sorted by event time. Events of the same moment are a
# basket, which has no order: a hash gives them one that is always the same and, unlike the order of the ids, carries no
# information. Training uses the same order.
_READ = text(f"""
SELECT s.shopper, h.item_ids, h.kinds, h.ats, ARRAY(
    {hidden_items("events.shopper = s.shopper", "CAST(:kinds AS text[])")}
) AS hidden
FROM unnest(CAST(:shoppers AS text[])) AS s(shopper) CROSS JOIN LATERAL (
    SELECT array_agg(item_id ORDER BY at, hash, event_id) AS item_ids,
        array_agg(kind ORDER BY at, hash, event_id) AS kinds,
        array_agg(CAST(extract(epoch FROM at) AS float8) ORDER BY at, hash, event_id) AS ats
    FROM (
        SELECT item_id, kind, at, hashtextextended(event_id, 0) AS hash, event_id FROM events
        WHERE events.shopper = s.shopper AND kind NOT IN ('impression', 'search')
        ORDER BY at DESC, hashtextextended(event_id, 0) DESC, event_id DESC LIMIT :length
    ) AS last
) AS h
""")

_SHOPPERS_OF = text("SELECT DISTINCT shopper FROM events WHERE item_id = ANY(:item_ids)")


class Touch(NamedTuple):
    """One event of a history: an item, a kind, and the time in unix seconds, exact to the microsecond.

    It has the fields of `model.recommend.events.Interaction` and is used in its place.
    """

    item_id: str
    kind: str
    at: float


# A named tuple's own constructor takes twice as long, and a shelf needs dozens for each event.
_touch = partial(tuple.__new__, Touch)


@dataclass(frozen=True)
class History:
    """A shopper's last events, oldest first, and the items to leave out."""

    touches: list[Touch] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)

    @property
    def through(self) -> datetime | None:
        """The time of the last event, None if there are no events."""
        return datetime.fromtimestamp(self.touches[-1].at, UTC) if self.touches else None


def read(connection: Connection, shoppers: Sequence[str], *, length: int, policy: str) -> dict[str, History]:
    """Return, for each of `shoppers`, the last `length` events and the items that `policy` hides."""
    parameters = {"shoppers": arrays.texts(shoppers), "length": length, "kinds": list(HIDDEN_KINDS[policy])}
    return {
        shopper: History(list(map(_touch, zip(item_ids or (), kinds or (), ats or (), strict=True))), set(hidden))
        for shopper, item_ids, kinds, ats, hidden in connection.execute(_READ, parameters)
    }


def shoppers_of(connection: Connection, item_ids: Sequence[str]) -> list[str]:
    """Return the shoppers with an event on any of the items."""
    return list(connection.execute(_SHOPPERS_OF, {"item_ids": list(item_ids)}).scalars())
