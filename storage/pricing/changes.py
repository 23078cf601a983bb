"""Changes of prices: rows that are only added, and the outbox of those that the shop has not been told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

PROPOSAL, ROLLBACK = "proposal", "rollback"

_COLUMNS = "change_no, at, item_id, price_before, price_after, currency, cause, proposal_id, changed_by"
# Numbers are given in the order of commits, or whoever keeps the last one that they have seen would miss a change.
_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtext('price_changes'))")
_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtext('price_outbox'))")
_RECORD = text("""
INSERT INTO price_changes (item_id, price_before, price_after, currency, cause, proposal_id, changed_by)
VALUES (:item_id, :price_before, :price_after, :currency, :cause, :proposal_id, :changed_by) RETURNING change_no
""")
_POST = text("INSERT INTO price_outbox (change_no) VALUES (:change_no)")
_RECENT = text(f"""
SELECT {_COLUMNS} FROM price_changes WHERE (CAST(:item AS text) IS NULL OR item_id = :item)
ORDER BY change_no DESC LIMIT :most
""")
_AFTER = text(f"SELECT {_COLUMNS} FROM price_changes WHERE change_no > :after ORDER BY change_no LIMIT :most")
_UNTOLD = text(f"""
SELECT {", ".join(f"c.{name}" for name in _COLUMNS.split(", "))}, o.tries
FROM price_outbox AS o JOIN price_changes AS c USING (change_no) ORDER BY change_no LIMIT :most
""")
_TOLD = text("DELETE FROM price_outbox WHERE change_no = ANY(:numbers)")
_FAILED = text("UPDATE price_outbox SET tries = tries + 1, error = :error WHERE change_no = ANY(:numbers)")


def record(connection: Connection, *, tell: bool, **columns: Any) -> int:
    """Add a change, in the transaction that makes it, and return its number. With `tell` the shop is to be told.

    Call it last: other changes wait from here until the transaction ends.
    """
    connection.execute(_IN_TURN)
    number = int(connection.execute(_RECORD, columns).scalar_one())
    if tell:
        connection.execute(_POST, {"change_no": number})
    return number


def recent(connection: Connection, *, item: str | None = None, most: int = 100) -> Sequence[Row[Any]]:
    """Return the last changes, the newest first; only of an item, if given."""
    return connection.execute(_RECENT, {"item": item, "most": most}).all()


def after(connection: Connection, number: int, *, most: int = 1000) -> Sequence[Row[Any]]:
    """Return the changes after this number, in order."""
    return connection.execute(_AFTER, {"after": number, "most": most}).all()


def untold(connection: Connection, *, most: int = 200) -> Sequence[Row[Any]]:
    """Return changes that the shop has not been told, in order; none while another transaction tells it."""
    if not connection.execute(_ALONE).scalar():
        return []
    return connection.execute(_UNTOLD, {"most": most}).all()


def told(connection: Connection, numbers: Sequence[int], *, error: str | None = None) -> None:
    """Forget that these are to be told; with `error`, count a try that failed."""
    if error is None:
        connection.execute(_TOLD, {"numbers": list(numbers)})
    else:
        connection.execute(_FAILED, {"numbers": list(numbers), "error": error})
