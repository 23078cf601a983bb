"""Orders: written once, in the transaction that marks them due to be screened.

An order is kept as the shop sent it, and as numbers: digests of the entities that it names, by which its history is
found. These are two tables, because a history is hundreds of scattered rows, and narrow rows stay in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from storage.json import ascii_text

KEYS = {
    "customer": "customer_id",
    "terminal": "terminal_id",
    "payment": "payment_id",
    "device": "device_id",
    "ip": "ip",
    "address": "address_id",
    "country": "shipping_country",
    "email": "email",
    "phone": "phone",
}
"""The columns that hold digests, and the message field of each."""

UNREAD = "unread"
"""The field of a message that says which fields it came with and is kept without, each with the reason."""

SCREENING_LOCK = 0x6F726465
"""Held until the end of its transaction by whoever screens or writes labels.

So screenings and labels have one order, and each screening knows everything that was written before it.
"""

_COLUMNS = ("order_id", "tie", *KEYS, "cents")


def write_statement(rows: str) -> str:
    """Return the statement that writes the rows of the parameter `rows`, and marks the new ones due.

    It returns their ids. An order's time is at most now: a clock that is ahead would hide the order from those after
    it.
    """
    return f"""
WITH incoming AS (
    SELECT * FROM json_to_recordset(CAST({rows} AS json)) AS r(
        order_id text, message jsonb, at bigint, tie bigint, {" bigint, ".join(KEYS)} bigint, cents bigint)
), written AS (
    INSERT INTO orders ({", ".join(_COLUMNS)}, at)
    SELECT {", ".join(_COLUMNS)}, least(at, CAST(floor(extract(epoch FROM now())) AS bigint))
    FROM incoming ORDER BY order_id
    ON CONFLICT (order_id) DO NOTHING RETURNING order_id
), kept AS (
    INSERT INTO order_messages (order_id, message)
    SELECT order_id, message FROM incoming JOIN written USING (order_id) ORDER BY order_id
), marked AS (
    INSERT INTO due (kind, key) SELECT 'order', order_id FROM written ORDER BY 2
    ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL, later = false
)
SELECT order_id FROM written
"""


WRITE_ONE = write_statement("$1::text")
"""The same statement for asyncpg."""
MESSAGE_OF = "SELECT message FROM order_messages WHERE order_id = $1"

_WRITE = text(write_statement(":rows"))
_MESSAGES = text("SELECT order_id, message FROM order_messages WHERE order_id = ANY(:order_ids)")
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")
_COUNT = text("SELECT count(*) FROM orders")


def as_row(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return an order (`order_id`, `at` in unix seconds, `message`) as a row to write."""
    message = order["message"]
    keys = {column: digest(message.get(field)) for column, field in KEYS.items()}
    return {**order, "tie": digest(order["order_id"]), **keys, "cents": round(100 * message["amount"])}


def digest(identity: str | None) -> int:
    """Return a number for an external id that is the same in every process; 0 for None.

    The first 63 bits of its BLAKE2b hash, as in `model.fraud.features.orders.digests`.
    """
    if identity is None:
        return 0
    return int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest(), "big") >> 1


def write(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Write orders that are new by `order_id`, and mark them due; return their ids."""
    unique = {row["order_id"]: row for row in reversed(rows)}
    return set(connection.execute(_WRITE, {"rows": ascii_text(list(unique.values()))}).scalars())


def messages(connection: Connection, order_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the orders as the shop sent them, by id."""
    rows = connection.execute(_MESSAGES, {"order_ids": list(order_ids)})
    return {row.order_id: dict(row.message) for row in rows}


def difference(stored: Mapping[str, Any], given: Mapping[str, Any]) -> str | None:
    """Return the first field in which a message differs from the one that was written under its id; None: in none."""
    names = sorted({*stored, *given} - {UNREAD})
    return next((name for name in names if stored.get(name) != given.get(name)), None)


def lock(connection: Connection) -> None:
    """Wait until nobody else screens or writes labels, and hold the lock until the transaction ends."""
    connection.execute(_LOCK, {"lock": SCREENING_LOCK})


def count(connection: Connection) -> int:
    """Return how many orders there are."""
    return int(connection.execute(_COUNT).scalar_one())
