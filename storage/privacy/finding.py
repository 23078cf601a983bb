"""Find what belongs to a person: their sessions and their orders."""

from __future__ import annotations

from sqlalchemy import Connection, text

from storage.fraud import orders
from storage.privacy.names import Names

_SESSIONS = text("SELECT DISTINCT session_id FROM events WHERE shopper = ANY(:people) AND session_id IS NOT NULL")

# An order is found by the digests of its keys, which have indexes; the message says whether a digest is not another's.
_OWN = ("customer", "email", "phone")
_DIGEST = " OR ".join(f"o.{column} = ANY(:digests)" for column in _OWN)
_NAMED = " OR ".join(f"m.message->>'{orders.KEYS[column]}' = ANY(:people)" for column in _OWN)
_ORDERS = text(f"""
SELECT o.order_id FROM orders AS o JOIN order_messages AS m USING (order_id) WHERE ({_DIGEST}) AND ({_NAMED})
""")


def names(connection: Connection, people: list[str]) -> Names:
    """Return the names of a person by the forms of their id.

    Their orders are those that name them as the customer, or by an e-mail address or a phone number that is their id.
    """
    sessions = connection.execute(_SESSIONS, {"people": people}).scalars().all()
    digests = [orders.digest(name) for name in people]
    found = connection.execute(_ORDERS, {"people": people, "digests": digests}).scalars().all()
    return Names(people=sorted(people), sessions=sorted(sessions), orders=sorted(found))
