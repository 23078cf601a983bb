"""Histories: what each shopper did, in event time, and what they should not be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, text

# What `home` leaves out, by policy; a dismissed item stays away under each of them.
HIDDEN_KINDS: Mapping[str, tuple[str, ...]] = {
    "hide_purchased": ("purchase", "dismiss"),
    "hide_seen": ("view", "click", "add_to_cart", "wishlist", "purchase", "rating", "dismiss"),
    "show_all": ("dismiss",),
}

# Late and shuffled events end up in the same history: event time decides. Events of one moment are a basket, which has
# no order; they get one that is always the same and, unlike that of the ids, means nothing. Training sees the same.
_LAST = text("""
SELECT s.shopper, e.item_id, e.kind, e.at
FROM unnest(CAST(:shoppers AS text[])) AS s(shopper) CROSS JOIN LATERAL (
    SELECT item_id, kind, at, event_id FROM events
    WHERE events.shopper = s.shopper AND kind NOT IN ('impression', 'search')
    ORDER BY at DESC, hashtextextended(event_id, 0) DESC, event_id DESC LIMIT :length
) AS e ORDER BY s.shopper, e.at, hashtextextended(e.event_id, 0), e.event_id
""")

_HIDDEN = text("""
SELECT DISTINCT shopper, item_id FROM events
WHERE shopper = ANY(:shoppers) AND kind = ANY(:kinds) AND item_id IS NOT NULL
""")

_SHOPPERS_OF = text("SELECT DISTINCT shopper FROM events WHERE item_id = ANY(:item_ids)")


@dataclass(frozen=True)
class Touch:
    """One event of a history."""

    item_id: str
    kind: str
    at: datetime


@dataclass(frozen=True)
class History:
    """A shopper's last events, oldest first, and the items to leave out."""

    touches: list[Touch] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)

    @property
    def through(self) -> datetime | None:
        """The time of the last event, None where there is none."""
        return self.touches[-1].at if self.touches else None


def read(connection: Connection, shoppers: Sequence[str], *, length: int, policy: str) -> dict[str, History]:
    """Return, for every one of `shoppers`, the last `length` events and what `policy` hides."""
    histories = {shopper: History() for shopper in shoppers}
    for row in connection.execute(_LAST, {"shoppers": list(shoppers), "length": length}):
        histories[row.shopper].touches.append(Touch(row.item_id, row.kind, row.at))
    parameters = {"shoppers": list(shoppers), "kinds": list(HIDDEN_KINDS[policy])}
    for row in connection.execute(_HIDDEN, parameters):
        histories[row.shopper].hidden.add(row.item_id)
    return histories


def shoppers_of(connection: Connection, item_ids: Sequence[str]) -> list[str]:
    """Return the shoppers with an event on any of the items."""
    return list(connection.execute(_SHOPPERS_OF, {"item_ids": list(item_ids)}).scalars())
