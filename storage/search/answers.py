"""Answers to searches, as the search worker keeps them: written, made stale, and deleted.

The gateway reads them and writes the queries (`storage.search.lookup`).
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
"""Most items of a kept answer, over all its pages."""

MOST_ANSWERS = 50_000
"""Most kept answers; the last asked for are kept."""
MOST_RENEWED = 500
"""Most stale answers that are renewed before somebody asks again, the most asked for; the others wait for a request."""
RENEWED_EVERY = 600.0
"""Seconds after which an answer that is asked for often is computed again, because popularity changes."""
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
# An answer that was computed after the change has a greater horizon.
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
# Their requests have timed out; only answers that are to be renewed, or failed before, are worth the work.
_DROP_UNANSWERED = text(f"""
DELETE FROM due WHERE kind = '{due.QUERY}' AND NOT later AND attempts = 0 AND since < now() - interval '5 seconds'
""")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to a query: up to `DEPTH` items, best first, of `total`; `personal` if the shopper's taste was used.

    `why` explains the first items, None if that was not asked for; a score is None if the sort order has none. The
    other fields are those of the table.
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
    """Return the queries of these keys; one that was deleted meanwhile is missing."""
    return {row.key: queries.from_row(row.question) for row in connection.execute(_READ, {"keys": list(keys)})}


def write(connection: Connection, answers: Sequence[Answer]) -> None:
    """Keep the answers, in place of earlier ones."""
    connection.execute(_WRITE, {"rows": ascii_text([vars(answer) for answer in answers])})


def outdate(connection: Connection, terms: Collection[str], newest: int) -> None:
    """Make every answer stale that depends on a term of the changed items; `newest` is their newest transaction id.

    Those asked for most are marked due.
    """
    connection.execute(_OUTDATE, {"terms": sorted(terms), "newest": newest})


def outdate_all(connection: Connection, version: str | None) -> None:
    """Make every answer stale that another model version gave, or that is older than a change of the catalogue."""
    connection.execute(_OUTDATE_ALL, {"version": version})


def tend(connection: Connection) -> None:
    """Delete answers that nobody asked for lately, and mark due those that are asked for often and are old."""
    hours = {"hours": _KEPT_HOURS, "personal_hours": _PERSONAL_KEPT_HOURS, "most": MOST_ANSWERS}
    connection.execute(_DROP, hours)
    drop_unanswered(connection)
    connection.execute(_RENEW_OLD, {"seconds": RENEWED_EVERY})


def drop_unanswered(connection: Connection) -> None:
    """Delete queries that timed out from the due list, so that current ones are answered first."""
    connection.execute(_DROP_UNANSWERED)
