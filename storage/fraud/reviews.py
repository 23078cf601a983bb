"""The review queue: orders that a person decides, each taken by one reviewer (the name of an API key) at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.fraud import screenings

MOST = 200

_COLUMNS = """
r.order_id, r.opened_at, r.why, r.taken_by, r.taken_at, r.decision, r.decided_by, r.decided_at, r.note,
s.decision AS screened, s.probability, s.reasons, m.message
"""
_FROM = "FROM reviews AS r JOIN screenings AS s USING (order_id) JOIN order_messages AS m USING (order_id)"
_OPEN = text(f"""
SELECT {_COLUMNS} {_FROM} WHERE r.decision IS NULL AND (CAST(:reviewer AS text) IS NULL OR r.taken_by = :reviewer)
ORDER BY r.opened_at, r.order_id LIMIT :most
""")
_ONE = text(f"SELECT {_COLUMNS} {_FROM} WHERE r.order_id = :order_id")
_TAKE = text("""
UPDATE reviews SET taken_by = :reviewer, taken_at = coalesce(CASE WHEN taken_by = :reviewer THEN taken_at END, now())
WHERE order_id = :order_id AND decision IS NULL AND (taken_by IS NULL OR taken_by = :reviewer)
RETURNING order_id
""")
_DECIDE = text("""
UPDATE reviews SET decision = :decision, decided_by = :reviewer, decided_at = now(), note = :note,
    taken_by = coalesce(taken_by, :reviewer), taken_at = coalesce(taken_at, now())
WHERE order_id = :order_id AND decision IS NULL AND (taken_by IS NULL OR taken_by = :reviewer)
RETURNING order_id
""")


def waiting(connection: Connection, *, reviewer: str | None = None, most: int = MOST) -> Sequence[Row[Any]]:
    """Return the undecided reviews, the longest open first; only those of `reviewer` if one is given."""
    return connection.execute(_OPEN, {"reviewer": reviewer, "most": most}).all()


def one(connection: Connection, order_id: str) -> Row[Any] | None:
    """Return the review of an order, None if there is none."""
    return connection.execute(_ONE, {"order_id": order_id}).one_or_none()


def take(connection: Connection, order_id: str, reviewer: str) -> bool:
    """Assign the review to `reviewer`. False if it is another reviewer's, decided, or does not exist."""
    taken = connection.execute(_TAKE, {"order_id": order_id, "reviewer": reviewer}).scalar() is not None
    if taken:
        screenings.note(connection, "review taken", {order_id: {"by": reviewer}})
    return taken


def decide(connection: Connection, order_id: str, reviewer: str, decision: str, note: str | None) -> bool:
    """Decide a review that is unassigned or assigned to `reviewer`.

    False if it is neither, is decided, or does not exist.
    """
    parameters = {"order_id": order_id, "reviewer": reviewer, "decision": decision, "note": note}
    decided = connection.execute(_DECIDE, parameters).scalar() is not None
    if decided:
        detail = {"by": reviewer, "decision": decision, "note": note}
        screenings.note(connection, "review decided", {order_id: detail})
    return decided
