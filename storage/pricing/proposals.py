"""Proposals of prices: from being proposed to being applied, refused or expired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.json import ascii_text

PROPOSED, APPROVED, REJECTED = "proposed", "approved", "rejected"
APPLIED, REFUSED, EXPIRED = "applied", "refused", "expired"
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
# Of each item the price before the first change of the window. Changes since then, up to the present price, have to be
# ours: each begins at the price that the one before it ended at. Otherwise the shop has set a price of its own.
_CHANGED = """
first AS (
    SELECT item_id, min(change_no) AS change_no FROM price_changes
    WHERE at >= :since AND at < :until AND cause = 'proposal' GROUP BY item_id
), followed AS (
    SELECT c.item_id, c.change_no, c.price_before, c.price_after,
        lag(c.price_after, 1, c.price_before) OVER (PARTITION BY c.item_id ORDER BY c.change_no) AS found
    FROM first JOIN price_changes AS c ON c.item_id = first.item_id AND c.change_no >= first.change_no
), ours AS (
    SELECT item_id, (array_agg(price_before ORDER BY change_no))[1] AS price_before,
        (array_agg(price_after ORDER BY change_no DESC))[1] AS price_after
    FROM followed GROUP BY item_id HAVING bool_and(found = price_before)
), changed AS (
    SELECT i.item_id, i.price, i.currency, ours.price_before FROM ours JOIN items AS i USING (item_id)
    WHERE i.price = ours.price_after AND i.price <> ours.price_before AND i.deleted_at IS NULL
)
"""
_MAKE_ROOM = text(f"""
WITH {_CHANGED} UPDATE price_proposals AS p SET state = 'expired', decided_at = now(), why = 'prices are taken back'
FROM changed WHERE p.item_id = changed.item_id AND p.state IN ('proposed', 'approved')
""")
_ROLL_BACK = text(f"""
WITH {_CHANGED} INSERT INTO price_proposals (item_id, price, proposed, currency, objective, expects, reason, bitten,
    propensity, policy, state, decided_at, decided_by)
SELECT item_id, price, price_before, currency, 'rollback', '{{}}'::jsonb, 'prices are taken back', '{{}}',
    1, '{ROLLBACK}', 'approved', now(), :by
FROM changed ORDER BY item_id
ON CONFLICT (item_id) WHERE state IN ('proposed', 'approved') DO NOTHING
RETURNING item_id
""")
_LIST = text(f"""
SELECT {_COLUMNS} FROM price_proposals
WHERE (CAST(:state AS text) IS NULL OR state = :state) AND (CAST(:item AS text) IS NULL OR item_id = :item)
    AND (CAST(:before AS bigint) IS NULL OR proposal_id < :before)
ORDER BY proposal_id DESC LIMIT :most
""")
_WAITING = text("""
WITH open AS (
    SELECT p.*, CAST(expects #>> ARRAY[objective, '0'] AS float8) AS value,
        CAST(expects #>> ARRAY[objective || '_before', '0'] AS float8) AS value_before
    FROM price_proposals AS p WHERE state IN ('proposed', 'approved') AND policy <> 'rollback'
        AND currency IS NOT DISTINCT FROM :currency
)
SELECT item_id, coalesce(i.title, item_id) AS title, o.price, o.proposed, o.objective,
    o.value / nullif(o.value_before, 0) - 1 AS gain, CAST(o.expects->>'chance_of_better' AS float8) AS chance,
    o.bitten, o.state = 'approved' AS is_approved
FROM open AS o LEFT JOIN items AS i USING (item_id)
ORDER BY o.value - o.value_before DESC NULLS LAST, item_id LIMIT :most
""")
_NEWEST = text(f"SELECT {_COLUMNS} FROM price_proposals WHERE item_id = :item ORDER BY proposal_id DESC LIMIT 1")
_GET = text(f"SELECT {_COLUMNS} FROM price_proposals WHERE proposal_id = :proposal FOR UPDATE")
_DECIDE = text("""
UPDATE price_proposals SET state = :state, why = :why, decided_at = now(), decided_by = coalesce(:by, decided_by)
WHERE proposal_id = :proposal
""")
# One that another worker holds is that one's.
_TAKE = text(f"""
SELECT {_COLUMNS} FROM price_proposals
WHERE state = 'approved' AND proposal_id <> ALL(CAST(:without AS bigint[]))
ORDER BY proposal_id LIMIT 1 FOR UPDATE SKIP LOCKED
""")


def write(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write proposals; an item of which one is approved and not applied yet keeps that one. Others expire before."""
    connection.execute(_EXPIRE)
    connection.execute(_WRITE, {"rows": ascii_text([dict(row) for row in rows])})


def roll_back(connection: Connection, since: datetime, until: datetime, by: str) -> list[str]:
    """Write approved proposals that restore the prices of a window that proposals changed; return the items.

    What proposals have changed after the window is taken back with it. An item whose price the shop has changed since
    keeps it, and its open proposal. Open proposals of the other items expire.
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


def waiting(connection: Connection, currency: str | None, *, most: int = 100) -> Sequence[Row[Any]]:
    """Return open proposals of a currency, those that are expected to bring most first.

    `gain` is how much more of the objective a week brings, as a share; `chance` that it is more at all.
    """
    return connection.execute(_WAITING, {"currency": currency, "most": most}).all()


def newest(connection: Connection, item: str) -> Row[Any] | None:
    """Return the newest proposal of an item, None if it never had one. Reads one row of an index."""
    return connection.execute(_NEWEST, {"item": item}).one_or_none()


def get(connection: Connection, proposal: int) -> Row[Any] | None:
    """Return a proposal and hold it until this transaction ends; None if there is none."""
    return connection.execute(_GET, {"proposal": proposal}).one_or_none()


def decide(connection: Connection, proposal: int, state: str, *, by: str | None = None, why: str | None = None) -> None:
    """Set the state of a proposal."""
    connection.execute(_DECIDE, {"proposal": proposal, "state": state, "by": by, "why": why})


def take(connection: Connection, *, without: Sequence[int] = ()) -> Row[Any] | None:
    """Return the oldest approved proposal that nobody else applies now, and hold it; None if there is none.

    Those `without` are passed over.
    """
    return connection.execute(_TAKE, {"without": list(without)}).one_or_none()
