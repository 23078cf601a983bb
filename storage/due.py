"""Due marks: what has to be computed again, which rows are claimed, and how often each was tried.

A row is claimed for a lease and deleted by the transaction that writes its result, unless it was marked again
meanwhile. A row that was tried before is claimed on its own, so that one that crashes the process takes no other row
with it. A row that is due only because of another model, or because the counts of flagged bots were removed, is marked
`later`: the background worker processes it, after everything that is due because of events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, TextClause, text

from storage import arrays, dead_letters
from storage.dead_letters import DeadLetter

SHOPPER = "shopper"
ITEM = "item"
BASKET = "basket"
ORDER = "order"
ACTOR = "actor"
QUERY = "query"
REASON = "reason"
"""A shopper's shelf is to be explained: why its first items were recommended."""

LATER = "later"
"""Not a due kind: wakes the background worker when shoppers or items are due `later`."""
SWITCHED = (SHOPPER, LATER)
"""What to ring for when another version becomes live: the workers load it and rank again what is due `later`."""

CATALOGUE = "catalogue"
"""Not a due kind: rung after catalogue changes, for the processes that keep the catalogue in memory."""

ERASURE = "erasure"
"""Not a due kind: rung after somebody asked for an erasure; the table `erasures` has what is to be done."""

NO_KINDS = frozenset({LATER, CATALOGUE, ERASURE})
"""Names that are rung for without being due kinds."""

QUIET_KINDS = ("impression", "search")
"""Kinds of events that make nothing due: an impression or a search does not change a shelf."""

NEWEST_FIRST = (QUERY,)
"""Kinds of which the newest rows are claimed first.

Whoever asked long ago has already got a fallback answer. In first-come order, a worker that fell behind once would be
late for every later question.
"""


def _claim_statement(of: str, order: str) -> TextClause:
    return text(f"""
WITH chosen AS (
    SELECT key FROM due
    WHERE kind = :kind AND {of} AND later BETWEEN :least_later AND :later
        AND (claimed_until IS NULL OR claimed_until < now())
    ORDER BY {order} LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE due SET attempts = attempts + 1, claimed_until = now() + :lease * interval '1 second'
WHERE kind = :kind AND key = ANY(ARRAY(SELECT key FROM chosen))
RETURNING key, mark, attempts, later
""")


# The first and the last statement each walk their own index in order: a claim costs the same however much is due.
_CLAIM = _claim_statement("attempts = 0", "later, since, key")
_CLAIM_RESTED = _claim_statement("attempts = 0 AND since < now() - :rest * interval '1 second'", "later, since, key")
_CLAIM_NEWEST = _claim_statement("attempts = 0", "later, since DESC, key")
_CLAIM_TRIED = _claim_statement("attempts BETWEEN 1 AND :most_attempts", "attempts, later, since, key")

# Rows are locked in the same order in which marking locks them, so that a transaction that marks many and one that
# finishes many wait for each other and never deadlock. The statements are written so that no plan joins rows by nested
# loops: Postgres keeps a plan that was made while almost nothing was due, and it would be slow when much is.
_HELD = """
WITH held AS MATERIALIZED (
    SELECT due.key, due.mark = done.mark AS same, due.claimed_until IS NULL AS is_free
    FROM (
        SELECT * FROM unnest(CAST(:keys AS text[]), CAST(:marks AS bigint[])) AS claim(key, mark) ORDER BY key
    ) AS done, LATERAL (
        SELECT key, mark, claimed_until FROM due WHERE kind = :kind AND due.key = done.key OFFSET 0 FOR UPDATE
    ) AS due
)"""
_SAME = "key = ANY(ARRAY(SELECT key FROM held WHERE same))"
_FREE = "key = ANY(ARRAY(SELECT key FROM held WHERE is_free AND NOT same))"
_SAME_OR_FREE = "key = ANY(ARRAY(SELECT key FROM held WHERE is_free OR same))"

_CLEAR = text(f"""{_HELD}, cleared AS (
    DELETE FROM due WHERE kind = :kind AND {_SAME}
)
UPDATE due SET attempts = 0, since = now() WHERE kind = :kind AND {_FREE}
""")

_POSTPONE = text(f"""{_HELD}
UPDATE due SET attempts = 0, claimed_until = NULL, later = later OR {_SAME},
    since = CASE WHEN {_SAME} THEN since ELSE now() END
WHERE kind = :kind AND {_SAME_OR_FREE}
""")

_RELEASE = text(f"""{_HELD}
UPDATE due SET claimed_until = NULL WHERE kind = :kind AND {_SAME}
""")

_LOCK = text(f"{_HELD} SELECT count(*) FROM held")

_DELAY = text(f"""{_HELD}
UPDATE due SET attempts = 0, claimed_until = NULL, since = now() WHERE kind = :kind AND {_SAME_OR_FREE}
""")

_EXHAUSTED = text("""
DELETE FROM due WHERE attempts >= :max_attempts AND (claimed_until IS NULL OR claimed_until < now())
RETURNING kind, key, attempts
""")

_MARK = text("""
INSERT INTO due (kind, key) SELECT :kind, key FROM unnest(CAST(:keys AS text[])) AS key ORDER BY key
ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL, later = false
""")

_MARK_LATER = text("""
INSERT INTO due (kind, key, later) SELECT :kind, key, true FROM unnest(CAST(:keys AS text[])) AS key ORDER BY key
ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL
""")

# A row that is due at a future time has waited for 0 seconds.
_SUMMARY = text("""
SELECT kind, count(*) AS rows, greatest(extract(epoch FROM now() - min(since)), 0) AS oldest_seconds,
       count(*) FILTER (WHERE free AND NOT later) AS claimable,
       count(*) FILTER (WHERE free AND later) AS claimable_later
FROM due, LATERAL (SELECT claimed_until IS NULL OR claimed_until < now() AS free) AS state GROUP BY kind ORDER BY kind
""")

# Rows that are worked on do not count (`attempts` is 1 then): the first of the index is the one that waits longest.
_LONGEST_WAIT = text(f"""
SELECT greatest(extract(epoch FROM now() - since), 0) FROM due
WHERE kind = '{SHOPPER}' AND attempts = 0 AND NOT later ORDER BY later, since, key LIMIT 1
""")

_MARK_REASONS = text(f"""
INSERT INTO due AS d (kind, key) SELECT '{REASON}', key FROM unnest(CAST(:keys AS text[])) AS key ORDER BY key
ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL
WHERE d.claimed_until IS NOT NULL
""")


@dataclass(frozen=True)
class Claim:
    """A due row that this process works on: its key, the mark it was claimed at, and the number of this attempt.

    `later` says that it is due only because of another model.
    """

    key: str
    mark: int
    attempts: int
    later: bool = False


@dataclass(frozen=True)
class Backlog:
    """How much of one kind is due.

    `claimable` and `claimable_later` are the rows that nobody works on, due now and due `later`; `oldest_seconds` is
    how long the oldest row has waited.
    """

    kind: str
    count: int
    claimable: int
    oldest_seconds: float
    claimable_later: int = 0


def for_changes(count: int, *, search: bool) -> list[str]:
    """Return what to ring for after `count` catalogue changes; `search` says that a search worker follows them."""
    if not count:
        return []
    return [ITEM, CATALOGUE] if search else [ITEM]


def for_events(kinds: Collection[str]) -> list[str]:
    """Return the kinds that events of these kinds make due."""
    loud = set(kinds) - set(QUIET_KINDS)
    return [*([SHOPPER] if loud else []), *([BASKET] if "purchase" in loud else [])]


def claim(
    connection: Connection, kind: str, *, limit: int, lease: float, later: bool | None = None, rest: float = 0.0
) -> list[Claim]:
    """Claim up to `limit` untried rows, the longest due first (except `NEWEST_FIRST`), for `lease` seconds.

    `later` selects only the rows marked `later`, or only the others; by default both, the `later` ones last. With
    `rest`, only rows that became due at least `rest` seconds ago. Commit before working on them: the attempt has to be
    counted even if the work kills the process.
    """
    parameters = {"kind": kind, "limit": limit, "lease": lease} | _when(later)
    if rest:
        return _claimed(connection.execute(_CLAIM_RESTED, parameters | {"rest": rest}))
    return _claimed(connection.execute(_CLAIM_NEWEST if kind in NEWEST_FIRST else _CLAIM, parameters))


def claim_retry(
    connection: Connection, kind: str, *, lease: float, max_attempts: int, later: bool | None = None
) -> list[Claim]:
    """Claim one row that failed before and has attempts left, to be processed on its own."""
    parameters = {"kind": kind, "limit": 1, "lease": lease, "most_attempts": max_attempts - 1}
    return _claimed(connection.execute(_CLAIM_TRIED, parameters | _when(later)))


def clear(connection: Connection, kind: str, claims: Sequence[Claim]) -> None:
    """Delete the claimed rows, in the transaction that writes their results; a row marked again meanwhile stays due."""
    connection.execute(_CLEAR, _held(kind, claims))


def postpone(connection: Connection, kind: str, claims: Sequence[Claim]) -> None:
    """Leave the claimed rows due `later`, in the transaction that writes their results: another model is to redo it."""
    connection.execute(_POSTPONE, _held(kind, claims))


def release(connection: Connection, kind: str, claims: Sequence[Claim]) -> None:
    """Return the claimed rows after a failure; their attempts stay counted."""
    connection.execute(_RELEASE, _held(kind, claims))


def lock(connection: Connection, kind: str, claims: Sequence[Claim]) -> None:
    """Lock the claimed rows in the order of their keys, before some of them are handled in different ways."""
    connection.execute(_LOCK, _held(kind, claims))


def delay(connection: Connection, kind: str, claims: Sequence[Claim]) -> None:
    """Leave the claimed rows due as if marked just now, because it is too early for them."""
    connection.execute(_DELAY, _held(kind, claims))


def mark(connection: Connection, kind: str, keys: Sequence[str]) -> None:
    """Mark the keys due."""
    connection.execute(_MARK, {"kind": kind, "keys": list(keys)})


def mark_later(connection: Connection, kind: str, keys: Sequence[str]) -> None:
    """Mark the keys due `later`, for the background worker; a key that is due now stays due now."""
    connection.execute(_MARK_LATER, {"kind": kind, "keys": list(keys)})


def mark_reasons(connection: Connection, shoppers: Sequence[str]) -> None:
    """Mark the shelves of these shoppers to be explained; a shelf that is already marked keeps its position."""
    connection.execute(_MARK_REASONS, {"keys": arrays.texts(shoppers)})


def bury(connection: Connection, *, max_attempts: int) -> int:
    """Move rows that used up their attempts to the dead letters; return how many."""
    letters = [
        DeadLetter(row.kind, f"gave up after {row.attempts} attempts", row.key, attempts=row.attempts)
        for row in connection.execute(_EXHAUSTED, {"max_attempts": max_attempts})
    ]
    dead_letters.add(connection, letters)
    return len(letters)


def longest_wait(connection: Connection) -> float:
    """Return the seconds that a shopper has waited for a shelf that follows their events; 0 if nobody waits."""
    return float(connection.execute(_LONGEST_WAIT).scalar() or 0.0)


def summary(connection: Connection) -> list[Backlog]:
    """Return the backlog of every kind that has due rows."""
    return [
        Backlog(row.kind, row.rows, row.claimable, float(row.oldest_seconds), row.claimable_later)
        for row in connection.execute(_SUMMARY)
    ]


def _held(kind: str, claims: Sequence[Claim]) -> dict[str, object]:
    keys, marks = arrays.texts(claim.key for claim in claims), arrays.marks([claim.mark for claim in claims])
    return {"kind": kind, "keys": keys, "marks": marks}


def _when(later: bool | None) -> dict[str, bool]:
    return {"least_later": bool(later), "later": later is not False}


def _claimed(rows: Iterable[Row[Any]]) -> list[Claim]:
    return [Claim(row.key, row.mark, row.attempts, row.later) for row in rows]
