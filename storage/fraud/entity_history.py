"""The history of each customer, payment, device … of an order when it is screened: past orders as columns.

Columns are read in PostgreSQL's binary format: an order has hundreds of past orders, and making a Python object of each
would take longer than everything else. `workers/fraud/columns.py` decodes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import RawCursor
from sqlalchemy import Connection, text

NEVER = 2**63 - 1
"""`fraud_at` of orders that are not known to be fraud."""

ENTITIES = ("customer", "terminal", "payment", "device", "ip", "address")
"""The entities by which past orders are found, in the order of the column `entity`."""
COLUMNS = (
    "at", "tie", "place", "customer", "terminal", "payment", "device", "ip", "address", "country", "cents", "fraud_at",
    "odd", "tainted_at",
)  # fmt: skip
"""The columns of a past order, all 64-bit integers except `odd`.

`tainted_at` is the time since when the past order's customer is known for a fraud; it is `NEVER` if that is the
customer of the asking order.
"""
ASKED = ("n", "entity", *COLUMNS)
"""The columns of `read`: `n` is the position of the asking order, `entity` the position in `ENTITIES`."""

_GIVEN = ("at", "tie", *ENTITIES)
_TIES = f"${1 + _GIVEN.index('tie')}::bigint[]"
_HORIZON, _MOST = f"${len(_GIVEN) + 1}::bigint", f"${len(_GIVEN) + 2}::bigint"
_OWN = ", ".join(f"p.{name}" for name in COLUMNS[:11])
_TAINT = f"""coalesce((
            SELECT min(f.fraud_at) FROM orders AS f WHERE f.customer = p.customer AND f.fraud_at IS NOT NULL
        ), {NEVER})"""


def _lookup(place: int, entity: str) -> str:
    # The newest orders of an entity before the asking one, including those of the same batch.
    taint = f"CASE WHEN p.customer = q.customer THEN {NEVER} ELSE {_TAINT} END" if place > 1 else str(NEVER)
    return f"""(
        SELECT {place}::bigint AS entity, {_OWN}, coalesce(p.fraud_at, {NEVER}) AS fraud_at, p.odd,
            {taint} AS tainted_at
        FROM orders AS p
        WHERE p.{entity} = q.{entity} AND p.{entity} <> 0 AND p.at >= q.at - {_HORIZON}
            AND (p.at, p.tie) < (q.at, q.tie) AND (p.place > 0 OR p.tie = ANY({_TIES}))
        ORDER BY p.at DESC, p.tie DESC LIMIT {_MOST})"""


_ARRAYS = ", ".join(f"${place}::bigint[]" for place in range(1, len(_GIVEN) + 1))
_READ = f"""
SELECT {", ".join(f"array_agg({name})" for name in ASKED)} FROM (
    SELECT q.n, past.* FROM unnest({_ARRAYS}) WITH ORDINALITY AS q({", ".join(_GIVEN)}, n)
    CROSS JOIN LATERAL ({" UNION ALL ".join(_lookup(n, entity) for n, entity in enumerate(ENTITIES))}) AS past
) AS found
"""

EVERY = ("known_at", "is_labelled", *COLUMNS[:-1])
"""The columns of `every`. `is_labelled` is 1 if the order has a label, which is known since `known_at`."""
_EVERY = f"""
COPY (
    SELECT coalesce(CAST(ceil(extract(epoch FROM l.received_at)) AS bigint), {NEVER}),
        CAST((p.label IS NOT NULL)::int AS bigint), {_OWN}, coalesce(p.fraud_at, {NEVER}), p.odd
    FROM orders AS p LEFT JOIN (
        SELECT order_id, min(received_at) AS received_at FROM order_labels GROUP BY order_id
    ) AS l USING (order_id)
    WHERE p.place > 0
) TO STDOUT (FORMAT BINARY)
"""

_ORDERS = text(f"""
SELECT *, nextval('order_places') AS next_place FROM (
    SELECT order_id, message, at, tie, cents, {", ".join(ENTITIES)}, country, email, phone
    FROM orders JOIN order_messages USING (order_id)
    WHERE order_id = ANY(:order_ids) AND place = 0 ORDER BY at, tie
) AS sorted
""")
_SETTLE = text("""
UPDATE orders SET place = done.place, odd = done.odd, label = coalesce(newest.kind, orders.label),
    fraud_at = CASE WHEN newest.kind IS NULL THEN orders.fraud_at WHEN newest.kind = 'cleared' THEN NULL
        ELSE coalesce(orders.fraud_at, CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint) + 1) END
FROM unnest(CAST(:order_ids AS text[]), CAST(:places AS bigint[]), CAST(:odds AS float8[]))
        AS done(order_id, place, odd)
    LEFT JOIN LATERAL (
        SELECT kind FROM order_labels AS l WHERE l.order_id = done.order_id ORDER BY l.at DESC, l.label_id DESC LIMIT 1
    ) AS newest ON true
WHERE orders.order_id = done.order_id AND orders.place = 0
""")


def asking(connection: Connection, order_ids: Sequence[str]) -> list[Any]:
    """Return the orders that have no place yet, by time and tie: `message`, `at`, `tie`, `cents`, and keys.

    `next_place` may be used for the order, if it was read while holding `orders.lock`.
    """
    return list(connection.execute(_ORDERS, {"order_ids": list(order_ids)}))


def read(connection: Connection, orders: Sequence[Any], *, horizon: int, most: int) -> list[bytes | None]:
    """Return, for each column of `ASKED`, all past orders of `orders` as a binary array; None if there are none.

    For each entity these are the newest `most` orders of the last `horizon` seconds that came before the order by time
    and tie, and that have a place or are among `orders` themselves.
    """
    given = [[getattr(order, name) for order in orders] for name in _GIVEN]
    driver: Any = connection.connection.driver_connection
    # A raw cursor, since psycopg would search this long statement for its own placeholders every time.
    raw: Any = RawCursor(driver)
    with raw as cursor:
        cursor.execute(_READ, [*given, horizon, most], prepare=True, binary=True)
        return [cursor.pgresult.get_value(0, n) for n in range(len(ASKED))]


def every(connection: Connection) -> bytes:
    """Return all orders that have a place, with the columns of `EVERY`, in the binary format of COPY."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(_EVERY) as copy:
        return b"".join(copy)


def settle(connection: Connection, places_of: Mapping[str, tuple[int, float]]) -> None:
    """Add orders to the history: write the place and oddness of each, and apply the labels that came before it."""
    ids = sorted(places_of)
    parameters = {
        "order_ids": ids,
        "places": [places_of[key][0] for key in ids],
        "odds": [places_of[key][1] for key in ids],
    }
    connection.execute(_SETTLE, parameters)


def newest(connection: Connection) -> datetime | None:
    """Return when the newest order was placed, None if there are no orders."""
    found: datetime | None = connection.execute(text("SELECT to_timestamp(max(at)) FROM orders")).scalar()
    return found
