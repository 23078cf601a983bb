"""Proposals of prices: from being proposed to being applied, refused or expired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.json import ascii_text

PROPOSED, APPROVED, REJECTED = "proposed", "approved", "rejected"
APPLIED, REFUSED, EXPIRED = "applied", "refused", "expired"
STATES = (PROPOSED, APPROVED, REJECTED, APPLIED, REFUSED, EXPIRED)
"""`refused`: a guardrail or a changed price was in the way when it was to be applied."""

ROLLBACK = "rollback"
"""The policy of a proposal that takes changes back: no guardrail is in its way."""

_COLUMNS = """proposal_id, item_id, price, proposed, currency, objective, expects, reason, bitten, propensity, policy,
    state, why, created_at, decided_at, decided_by"""
_WRITE = text("""
INSERT INTO price_proposals (item_id, price, proposed, currency, objective, expects, reason, bitten, propensity, policy,
    state, decided_at, decided_by)
SELECT item_id, price, proposed, currency, objective, expects, reason, bitten, propensity, policy, state,
    CASE WHEN state = 'approved' THEN now() END, CASE WHEN state = 'approved' THEN 'rules' END
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS g (item_id text, price float8, proposed float8, currency text,
    objective text, expects jsonb, reason text, bitten text[], propensity float8, policy text, state text)
ORDER BY item_id
ON CONFLICT (item_id) WHERE state IN ('proposed', 'approved') DO NOTHING
""")
_EXPIRE = text("""
UPDATE price_proposals SET state = 'expired', decided_at = now(), why = 'a newer look at the prices'
WHERE state = 'proposed'
""")
# Of each item the price before the first change of the window, where the last one is still what it costs.
_CHANGED = """
changed AS (
    SELECT DISTINCT c.item_id, first_value(c.price_before) OVER w AS price_before,
        last_value(c.price_after) OVER w AS price_after
    FROM price_changes AS c WHERE c.at >= :since AND c.at < :until AND c.cause = 'proposal'
    WINDOW w AS (PARTITION BY c.item_id ORDER BY c.change_no ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
"""
_MAKE_ROOM = text(f"""
WITH {_CHANGED} UPDATE price_proposals AS p SET state = 'expired', decided_at = now(), why = 'prices are taken back'
FROM changed WHERE p.item_id = changed.item_id AND p.state IN ('proposed', 'approved')
""")
_ROLL_BACK = text(f"""
WITH {_CHANGED} INSERT INTO price_proposals (item_id, price, proposed, currency, objective, expects, reason, bitten,
    propensity, policy, state, decided_at, decided_by)
SELECT i.item_id, i.price, changed.price_before, i.currency, 'rollback', '{{}}'::jsonb, 'prices are taken back', '{{}}',
    1, '{ROLLBACK}', 'approved', now(), :by
FROM changed JOIN items AS i USING (item_id)
WHERE i.price = changed.price_after AND i.price <> changed.price_before AND i.deleted_at IS NULL
RETURNING item_id
""")
_LIST = text(f"""
SELECT {_COLUMNS} FROM price_proposals
WHERE (CAST(:state AS text) IS NULL OR state = :state) AND (CAST(:item AS text) IS NULL OR item_id = :item)
    AND (CAST(:before AS bigint) IS NULL OR proposal_id < :before)
ORDER BY proposal_id DESC LIMIT :most
""")
_GET = text(f"SELECT {_COLUMNS} FROM price_proposals WHERE proposal_id = :proposal FOR UPDATE")
_DECIDE = text("""
UPDATE price_proposals SET state = :state, why = :why, decided_at = now(), decided_by = coalesce(:by, decided_by)
WHERE proposal_id = :proposal
""")
# One that another worker holds is that one's.
_TAKE = text(f"""
SELECT {_COLUMNS} FROM price_proposals WHERE state = 'approved' ORDER BY proposal_id LIMIT 1 FOR UPDATE SKIP LOCKED
""")


def write(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write proposals; an item of which one is approved and not applied yet keeps that one. Others expire before."""
    connection.execute(_EXPIRE)
    connection.execute(_WRITE, {"rows": ascii_text([dict(row) for row in rows])})


def roll_back(connection: Connection, since: datetime, until: datetime, by: str) -> list[str]:
    """Write approved proposals that restore the prices of a window that proposals changed; return the items.

    An item whose price somebody else has changed since keeps it. Other open proposals of the items expire.
    """
    values = {"since": since, "until": until, "by": by}
    connection.execute(_MAKE_ROOM, values)
    return list(connection.execute(_ROLL_BACK, values).scalars())


def recent(
    connection: Connection,
    *,
    state: str | None = None,
    item: str | None = None,
    before: int | None = None,
    most: int = 100,
) -> Sequence[Row[Any]]:
    """Return proposals, the newest first; only of a state or an item, or older than proposal `before`, if given."""
    return connection.execute(_LIST, {"state": state, "item": item, "before": before, "most": most}).all()


def get(connection: Connection, proposal: int) -> Row[Any] | None:
    """Return a proposal and hold it until this transaction ends; None if there is none."""
    return connection.execute(_GET, {"proposal": proposal}).one_or_none()


def decide(connection: Connection, proposal: int, state: str, *, by: str | None = None, why: str | None = None) -> None:
    """Set the state of a proposal."""
    connection.execute(_DECIDE, {"proposal": proposal, "state": state, "by": by, "why": why})


def take(connection: Connection) -> Row[Any] | None:
    """Return the oldest approved proposal that nobody else applies now, and hold it; None if there is none."""
    return connection.execute(_TAKE).one_or_none()
