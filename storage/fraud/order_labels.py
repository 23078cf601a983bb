"""Labels of orders: chargebacks, confirmed frauds, and cleared orders, often weeks after the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from storage.fraud import orders
from storage.json import ascii_text

_INSERT = text("""
INSERT INTO order_labels (label_id, order_id, kind, at)
SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r(label_id text, order_id text, kind text, at timestamptz)
ORDER BY label_id
ON CONFLICT (label_id) DO NOTHING RETURNING order_id
""")

# A label counts for orders after the next full second: no order that was screened before can have that time.
_APPLY = text("""
WITH newest AS (
    SELECT DISTINCT ON (order_id) order_id, kind FROM order_labels WHERE order_id = ANY(:order_ids)
    ORDER BY order_id, at DESC, label_id DESC
), applied AS (
    UPDATE orders SET label = newest.kind, fraud_at = CASE WHEN newest.kind = 'cleared' THEN NULL
        ELSE coalesce(orders.fraud_at, CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint) + 1) END
    FROM newest WHERE orders.order_id = newest.order_id AND orders.label IS DISTINCT FROM newest.kind
    RETURNING orders.order_id, orders.label
)
INSERT INTO screening_log (order_id, what, detail)
SELECT order_id, 'label', jsonb_build_object('kind', label) FROM applied ORDER BY order_id
""")

_RECEIVED = text("""
SELECT count(DISTINCT order_id) FROM order_labels
WHERE received_at > coalesce(CAST(:since AS timestamptz), '-infinity')
""")


_FRAUDS = text("""
SELECT count(DISTINCT order_id) FROM order_labels
WHERE received_at > coalesce(CAST(:since AS timestamptz), '-infinity') AND kind <> 'cleared'
""")


def write(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Write labels that are new by `label_id` and apply the newest to each order; return how many were new.

    `rows` have `label_id`, `order_id`, `kind` and `at` (aware). Waits while an order is screened.
    """
    unique = {row["label_id"]: dict(row) for row in rows}
    orders.lock(connection)
    touched = list(connection.execute(_INSERT, {"rows": ascii_text(list(unique.values()))}).scalars())
    connection.execute(_APPLY, {"order_ids": touched})
    return len(touched)


def received_since(connection: Connection, since: datetime | None) -> int:
    """Return how many orders got a label after `since`."""
    return int(connection.execute(_RECEIVED, {"since": since}).scalar_one())


def frauds_since(connection: Connection, since: datetime | None) -> int:
    """Return how many orders got a label of fraud after `since`."""
    return int(connection.execute(_FRAUDS, {"since": since}).scalar_one())
