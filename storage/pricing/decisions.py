"""Every decision of the pricing policy, kept prices too, with its propensity, and what was sold until the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.bots import actors
from storage.json import ascii_text

_WRITE = text("""
INSERT INTO price_decisions (item_id, price, chosen, currency, cost, propensity, prices, shares, units, policy, blocked,
    automatic)
SELECT item_id, price, chosen, currency, cost, propensity, prices, shares, units, policy, blocked, automatic
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS g (item_id text, price float8, chosen float8, currency text,
    cost float8, propensity float8, prices float8[], shares float8[], units float8[], policy text, blocked text[],
    automatic boolean)
""")
_FORGET = text("DELETE FROM price_decisions WHERE at < :before")
# What became of a decision. It stood if nobody had to approve it, its proposal (of the same transaction, and so of the
# same time) was applied, and the price was still there at the next decision: else the shop set one of its own.
_FOLLOWED = """
followed AS (
    SELECT d.*, n.at AS next_at, CASE
            WHEN NOT d.automatic THEN 'approved by a person'
            WHEN d.chosen <> d.price AND p.state IS DISTINCT FROM 'applied' THEN 'not applied'
            WHEN coalesce(n.price, i.price) IS DISTINCT FROM d.chosen THEN 'changed otherwise'
            ELSE 'stood'
        END AS fate
    FROM price_decisions AS d
        LEFT JOIN LATERAL (
            SELECT at, price FROM price_decisions AS n WHERE n.item_id = d.item_id AND n.at > d.at ORDER BY n.at LIMIT 1
        ) AS n ON true
        LEFT JOIN price_proposals AS p ON p.item_id = d.item_id AND p.created_at = d.at AND p.proposed = d.chosen
        LEFT JOIN items AS i ON i.item_id = d.item_id
    WHERE {where}
)
"""
# Each purchase follows the last decision before it: one sort of both together.
_OUTCOMES = text(f"""
WITH {_FOLLOWED.format(where="d.at >= :since")}, mixed AS (
    SELECT item_id, at, decision_no, NULL AS quantity, NULL AS value FROM followed
    UNION ALL
    SELECT item_id, at, NULL, quantity, value FROM events AS e
    WHERE kind = 'purchase' AND at >= :since AND at <= now() AND item_id IN (SELECT item_id FROM followed)
        AND {actors.counts("e")}
), after AS (
    SELECT quantity, value, max(decision_no) OVER (PARTITION BY item_id ORDER BY at) AS decision_no FROM mixed
), sold AS (
    SELECT decision_no, sum(quantity) AS units, sum(coalesce(value, quantity * chosen)) AS revenue
    FROM after JOIN followed USING (decision_no) WHERE quantity IS NOT NULL GROUP BY decision_no
)
SELECT f.at, f.item_id, f.price, f.chosen, f.currency, f.cost, f.propensity, f.prices, f.shares, f.units, f.fate,
    CAST(extract(epoch FROM f.next_at - f.at) AS float8) / 86400 AS days,
    coalesce(s.units, 0) AS sold_units, coalesce(s.revenue, 0) AS sold_revenue
FROM followed AS f LEFT JOIN sold AS s USING (decision_no) WHERE f.next_at IS NOT NULL ORDER BY f.at, f.item_id
""")
# A price that a rule alone kept was chosen by whoever set it; a cooldown keeps one that the policy chose.
_CHOSEN = text(f"""
WITH {_FOLLOWED.format(where="d.item_id = ANY(:items) AND d.at >= CAST(:since AS date) - interval '7 days'")}
SELECT item_id, CAST(week AS date) AS week, CAST(extract(epoch FROM sum(
    least(coalesce(next_at, now()), week + interval '7 days') - greatest(at, week))) AS float8) / 86400 AS days
FROM followed CROSS JOIN LATERAL generate_series(
    greatest(date_trunc('week', at), CAST(:since AS timestamptz)),
    least(coalesce(next_at, now()), CAST(:until AS timestamptz)), interval '7 days') AS week
WHERE fate = 'stood' AND blocked <@ '{{cooldown}}' AND week < :until
GROUP BY item_id, week
""")


def write(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add decisions of one look, in the transaction that writes its proposals."""
    connection.execute(_WRITE, {"rows": ascii_text([dict(row) for row in rows])})


def outcomes(connection: Connection, since: datetime) -> Sequence[Row[Any]]:
    """Return the decisions that another one followed, in order, with `fate`, and what was sold in the days between.

    `fate` is `stood`, or why another price than the chosen one may have stood.
    """
    return connection.execute(_OUTCOMES, {"since": since}).all()


def chosen(connection: Connection, items: Sequence[str], since: date, until: date) -> Sequence[Row[Any]]:
    """Return (item_id, week, days): on how many days of a week, named by its Monday, the policy's choice stood."""
    return connection.execute(_CHOSEN, {"items": list(items), "since": since, "until": until}).all()


def forget(connection: Connection, before: date) -> None:
    """Delete decisions from before this day."""
    connection.execute(_FORGET, {"before": before})
