"""Screenings: one decision per order, by whoever writes it first, with everything it is based on, and a log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, text

from storage.json import ascii_text

MODEL, NOVELTY, RULES = "model", "novelty", "rules"
"""What decided: rules and model, rules and the novelty score (before there are labels), or rules only."""

_FIELDS = "order_id, decision, by, why, probability, reasons, facts, rules_version, model_version, features"


def write_statement(rows: str) -> str:
    """Return the statement that writes the screenings of the parameter `rows`, and opens the reviews they ask for.

    It returns the orders decided by it, and when: an order that was decided before keeps its decision. Its commit waits
    for the disk, whatever the session's setting, because the shop acts on the result.
    """
    return f"""
WITH incoming AS (
    SELECT * FROM json_to_recordset(CAST({rows} AS json)) AS r(
        order_id text, decision text, by text, why text, probability float8, reasons jsonb, facts jsonb,
        rules_version text, model_version text, features float8[])
), written AS (
    INSERT INTO screenings ({_FIELDS}) SELECT {_FIELDS} FROM incoming ORDER BY order_id
    ON CONFLICT (order_id) DO NOTHING RETURNING order_id, decision, reasons, decided_at
), opened AS (
    INSERT INTO reviews (order_id, why)
    SELECT order_id, coalesce(reasons->0->>'text', 'nothing could judge it') FROM written
    WHERE decision = 'review' ORDER BY order_id ON CONFLICT (order_id) DO NOTHING
)
SELECT order_id, decided_at, set_config('synchronous_commit', 'on', true) FROM written
"""


WRITE_ONE = write_statement("$1::text")
"""The same statement for asyncpg."""
_SHOWN = """
    s.order_id, s.decision, s.by, s.why, s.probability, s.reasons, s.rules_version, s.model_version, s.decided_at
"""
READ_ONE = f"SELECT {_SHOWN} FROM screenings AS s WHERE s.order_id = $1"
"""Selects what an answer shows, for asyncpg."""

_WRITE = text(write_statement(":rows"))
_READ = text(f"SELECT {_SHOWN} FROM screenings AS s WHERE s.order_id = ANY(:order_ids)")
_WHOLE = text("SELECT * FROM screenings WHERE order_id = :order_id")
_LOG = text("SELECT at, what, detail FROM screening_log WHERE order_id = :order_id ORDER BY id")
_NOTE = text("""
INSERT INTO screening_log (order_id, what, detail)
SELECT order_id, what, detail FROM json_to_recordset(CAST(:rows AS json)) AS r(order_id text, what text, detail jsonb)
ORDER BY order_id
""")
_OPEN = text("""
INSERT INTO reviews (order_id, why)
SELECT order_id, why FROM json_to_recordset(CAST(:rows AS json)) AS r(order_id text, why text)
ON CONFLICT (order_id) DO NOTHING
""")
_WINDOW = text("""
SELECT features FROM screenings
WHERE decided_at > now() - :hours * interval '1 hour' AND model_version = :version AND features IS NOT NULL
ORDER BY hashtextextended(order_id, 0) LIMIT :most
""")
_JUDGED = text("""
SELECT s.probability, CAST((o.fraud_at IS NOT NULL)::int AS float8) AS is_fraud
FROM screenings AS s JOIN orders AS o USING (order_id)
WHERE s.model_version = :version AND s.probability IS NOT NULL AND s.decided_at < now() - :mature * interval '1 day'
ORDER BY s.decided_at DESC LIMIT :most
""")
_PAST = text("""
SELECT o.order_id, m.message, o.at, o.tie, o.customer, o.payment, o.device, o.ip, o.address,
    o.email, o.phone, o.label,
    s.decision, s.probability, s.model_version
FROM orders AS o JOIN order_messages AS m USING (order_id) LEFT JOIN screenings AS s USING (order_id)
WHERE o.at >= :since AND (o.at, o.tie) > (:at, :tie) ORDER BY o.at, o.tie LIMIT :most
""")


@dataclass(frozen=True)
class Screening:
    """A decision to write. `facts` and `features` are all the inputs of rules and model.

    `why` says why the model had no part in the decision; None if it had.
    """

    order_id: str
    decision: str
    by: str
    reasons: Sequence[Any]
    facts: Mapping[str, Any]
    rules_version: str
    why: str | None = None
    probability: float | None = None
    model_version: str | None = None
    features: Sequence[float] | None = None

    def as_row(self) -> dict[str, Any]:
        """Return it as the JSON object that the statement reads."""
        row: dict[str, Any] = msgspec.to_builtins(vars(self))
        return row


def write(connection: Connection, found: Sequence[Screening]) -> dict[str, datetime]:
    """Write the decisions of orders that have none yet; return the ids of those, and the time of the decision (UTC)."""
    rows = ascii_text([one.as_row() for one in found])
    return {row.order_id: row.decided_at for row in connection.execute(_WRITE, {"rows": rows})}


def read(connection: Connection, order_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Return, by order id, what an answer shows of the decision."""
    return {row.order_id: row for row in connection.execute(_READ, {"order_ids": list(order_ids)})}


def whole(connection: Connection, order_id: str) -> Row[Any] | None:
    """Return everything that an order's decision is based on, None if it has no decision."""
    return connection.execute(_WHOLE, {"order_id": order_id}).one_or_none()


def history(connection: Connection, order_id: str) -> Sequence[Row[Any]]:
    """Return what happened to an order after its decision: `at`, `what`, `detail`."""
    return connection.execute(_LOG, {"order_id": order_id}).all()


def note(connection: Connection, what: str, details: Mapping[str, Any]) -> None:
    """Add a line to the history of each order."""
    rows = [{"order_id": key, "what": what, "detail": detail} for key, detail in details.items()]
    if rows:
        connection.execute(_NOTE, {"rows": ascii_text(rows)})


def open_reviews(connection: Connection, whys: Mapping[str, str]) -> None:
    """Open reviews of these orders, with the reason; an order that has a review already keeps it."""
    if whys:
        rows = [{"order_id": key, "why": why} for key, why in whys.items()]
        connection.execute(_OPEN, {"rows": ascii_text(rows)})


def window(connection: Connection, version: str, *, hours: float, most: int) -> Sequence[Row[Any]]:
    """Return `features` of up to `most` orders that a version judged in the last `hours`, sampled by hash."""
    return connection.execute(_WINDOW, {"version": version, "hours": hours, "most": most}).all()


def judged(connection: Connection, version: str, *, mature: int, most: int) -> Sequence[Row[Any]]:
    """Return `probability` and `is_fraud` of the last orders that a version judged at least `mature` days ago."""
    return connection.execute(_JUDGED, {"version": version, "mature": mature, "most": most}).all()


def past(connection: Connection, since: int, *, after: tuple[int, int], most: int) -> Sequence[Row[Any]]:
    """Return the next `most` orders since `since` (unix seconds), `after` a time and tie, with their decisions."""
    parameters = {"since": since, "at": after[0], "tie": after[1], "most": most}
    return connection.execute(_PAST, parameters).all()
