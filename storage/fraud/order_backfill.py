"""Load past orders in bulk through COPY: they become history at once, and are not screened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, text

from storage.fraud import orders

COLUMNS = ("order_id", "message", "at", "tie", *orders.KEYS, "cents", "odd", "fraud_at", "label")
"""The columns of a row of `write`, in this order: `message` as JSON text, `fraud_at` in unix seconds or None."""

_STAGE = text(f"""
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_orders (
    order_id text NOT NULL, message jsonb NOT NULL, at bigint NOT NULL, tie bigint NOT NULL,
    {", ".join(f"{name} bigint NOT NULL" for name in orders.KEYS)},
    cents bigint NOT NULL, odd float8 NOT NULL, fraud_at bigint, label text
) ON COMMIT DELETE ROWS
""")
_COPY = f"COPY incoming_orders ({', '.join(COLUMNS)}) FROM STDIN"
_NUMBERS = ", ".join(name for name in COLUMNS if name != "message")
_WRITE = text(f"""
WITH written AS (
    INSERT INTO orders ({_NUMBERS}, place)
    SELECT {_NUMBERS}, nextval('order_places') FROM (SELECT * FROM incoming_orders ORDER BY at, tie) AS sorted
    ON CONFLICT (order_id) DO NOTHING RETURNING order_id
)
INSERT INTO order_messages (order_id, message)
SELECT order_id, message FROM incoming_orders JOIN written USING (order_id)
""")


def write(connection: Connection, rows: Iterable[Sequence[Any]]) -> int:
    """Write orders that are new by `order_id`, in the order of their times; return how many.

    Blocks screening meanwhile.
    """
    orders.lock(connection)
    connection.execute(_STAGE)
    driver: Any = connection.connection
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)
    return connection.execute(_WRITE).rowcount
