"""Answers to searches, as the worker that searches keeps them: written, made stale, and dropped.

The gateway reads them, and writes the questions (`storage.search.lookup`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from storage import due
from storage.json import ascii_text
from storage.search import queries
from storage.search.queries import Question

DEPTH = 200
"""Most items that an answer keeps, over all its pages."""

MOST_ANSWERS = 50_000
"""Answers that are kept; those asked for last."""
MOST_RENEWED = 500
"""Stale answers that are renewed before somebody asks again, those most asked for; the others wait for that."""
RENEWED_EVERY = 600.0
"""Seconds after which an answer that is asked for often is computed anew, whatever happened: popularity moves."""
_KEPT_HOURS = 24.0
_PERSONAL_KEPT_HOURS = 0.25

_READ = text("SELECT key, question FROM search_answers WHERE key = ANY(:keys)")

_WRITE = text("""
UPDATE search_answers AS a SET item_nos = r.item_nos, scores = r.scores, total = r.total, facets = r.facets,
    meant = r.meant, source = r.source, why = r.why, model_version = r.model_version, terms = r.terms,
    horizon = r.horizon, through = r.through, personal = r.personal,
    generated_at = clock_timestamp(), stale_since = NULL
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
    key text, item_nos bigint[], scores real[], total bigint, facets jsonb, meant text, source text, why jsonb,
    model_version text, terms text[], horizon bigint, through timestamptz, personal boolean)
WHERE a.key = r.key
""")

_RENEW = f"""
INSERT INTO due (kind, key, later)
SELECT '{due.QUERY}', key, true FROM (
    SELECT key FROM outdated WHERE shopper IS NULL ORDER BY times DESC, asked_at DESC LIMIT {MOST_RENEWED}
) AS first ORDER BY key
ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL
"""
# An answer that was made after the change has a horizon above it.
_OUTDATE = text(f"""
WITH outdated AS (
    UPDATE search_answers SET stale_since = clock_timestamp()
    WHERE terms && CAST(:terms AS text[]) AND horizon <= :newest AND stale_since IS NULL AND item_nos IS NOT NULL
    RETURNING key, shopper, times, asked_at
) {_RENEW}
""")
_OUTDATE_ALL = text(f"""
WITH outdated AS (
    UPDATE search_answers SET stale_since = clock_timestamp()
    WHERE (model_version IS DISTINCT FROM :version OR horizon <= (SELECT max(changed_xid) FROM items))
        AND stale_since IS NULL AND item_nos IS NOT NULL
    RETURNING key, shopper, times, asked_at
) {_RENEW}
""")
_RENEW_OLD = text(f"""
WITH outdated AS (
    SELECT key, shopper, times, asked_at FROM search_answers
    WHERE times > 1 AND (stale_since IS NOT NULL OR generated_at < now() - :seconds * interval '1 second')
) {_RENEW}
""")
_DROP = text("""
DELETE FROM search_answers
WHERE asked_at < now() - CASE WHEN shopper IS NULL THEN :hours ELSE :personal_hours END * interval '1 hour'
    OR key IN (SELECT key FROM search_answers ORDER BY asked_at DESC OFFSET :most)
""")
# Who asked them is gone; only what is to be renewed, or failed before, is worth the work.
_DROP_UNANSWERED = text(f"""
DELETE FROM due WHERE kind = '{due.QUERY}' AND NOT later AND attempts = 0 AND since < now() - interval '5 seconds'
""")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a question found: up to `DEPTH` items, best first, of `total`. `personal`: by the taste of who asked.

    `why` explains the first items, None where nobody asked; a score is None where the order has none. The other fields
    are those of the table.
    """

    key: str
    item_nos: list[int]
    scores: list[float | None]
    total: int
    facets: Mapping[str, Any]
    meant: str | None
    source: str
    why: list[Any] | None
    model_version: str | None
    terms: list[str]
    horizon: int
    through: datetime | None
    personal: bool


def asked(connection: Connection, keys: Sequence[str]) -> dict[str, Question]:
    """Return the questions of these keys; one that was dropped meanwhile has none."""
    return {row.key: queries.from_row(row.question) for row in connection.execute(_READ, {"keys": list(keys)})}


def write(connection: Connection, answers: Sequence[Answer]) -> None:
    """Keep the answers, in place of those before."""
    connection.execute(_WRITE, {"rows": ascii_text([vars(answer) for answer in answers])})


def outdate(connection: Connection, terms: Collection[str], newest: int) -> None:
    """Make every answer stale that depends on one of the terms of items that changed, `newest` by transaction id.

    Those asked for most are marked due.
    """
    connection.execute(_OUTDATE, {"terms": sorted(terms), "newest": newest})


def outdate_all(connection: Connection, version: str | None) -> None:
    """Make every answer stale that another version gave, or that a change of the catalogue came after."""
    connection.execute(_OUTDATE_ALL, {"version": version})


def tend(connection: Connection) -> None:
    """Drop what nobody asked for lately, and mark due what is asked for often and has grown old."""
    hours = {"hours": _KEPT_HOURS, "personal_hours": _PERSONAL_KEPT_HOURS, "most": MOST_ANSWERS}
    connection.execute(_DROP, hours)
    drop_unanswered(connection)
    connection.execute(_RENEW_OLD, {"seconds": RENEWED_EVERY})


def drop_unanswered(connection: Connection) -> None:
    """Take questions off the list that nobody waits for any more, so that those asked now are answered first."""
    connection.execute(_DROP_UNANSWERED)
