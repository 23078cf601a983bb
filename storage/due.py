"""Due marks: what has to be computed again, who works on it, and how often it was tried.

A row is claimed for a lease and deleted by the transaction that writes its result, unless its mark grew meanwhile.
A row that was tried before is claimed alone, so that one that crashes the process takes no other row with it.
A row of which nothing but the model changed, or what flagged actors had counted, is marked `later`: another process
works on it, and everything that happened goes before it.
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
"""A shopper's shelf is to be explained: why its first items are on it."""

LATER = "later"
"""No due kind: rung for where shoppers or items are due `later`, heard by the process that works on those."""
SWITCHED = (SHOPPER, LATER)
"""What to ring for when another version serves: whoever ranks loads it, and ranks anew what can wait."""

CATALOGUE = "catalogue"
"""No due kind: rung for by whoever changed the catalogue, heard by whoever keeps it in memory."""

NO_KINDS = frozenset({LATER, CATALOGUE})
"""What is rung for without being a kind of due rows."""

QUIET_KINDS = ("impression", "search")
"""Kinds of events that make nothing due: having been shown an item, or having searched, does not move a shelf."""

NEWEST_FIRST = (QUERY,)
"""Kinds of which the newest are claimed first: who asked long ago has been answered without it. Where all waited in
line, a worker that fell behind once would be late for everybody from then on."""


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


# Each of the first and the last walks an index of its own in order: a claim costs the same however much is due.
_CLAIM = _claim_statement("attempts = 0", "later, since, key")
_CLAIM_RESTED = _claim_statement("attempts = 0 AND since < now() - :rest * interval '1 second'", "later, since, key")
_CLAIM_NEWEST = _claim_statement("attempts = 0", "later, since DESC, key")
_CLAIM_TRIED = _claim_statement("attempts BETWEEN 1 AND :most_attempts", "attempts, later, since, key")

# Rows are locked in the order in which marks take them, so that whoever marks many and whoever is done with many wait
# for each other and never deadlock. No plan of these compares many rows with each of many others: a plan is kept that
# was made while next to nothing was due, and would go on doing so when much is.
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

# What is due from a moment that lies ahead has not waited yet.
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
    """A due row that this process works on: its key, the mark it was claimed at, and which attempt this is.

    `later` says that it is due for another model's sake alone.
    """

    key: str
    mark: int
    attempts: int
    later: bool = False


@dataclass(frozen=True)
class Backlog:
    """How much of one kind is due, how much of it nobody works on, now and `later`, and for how long the oldest waits,
    in seconds.
    """

    kind: str
    count: int
    claimable: int
    oldest_seconds: float
    claimable_later: int = 0


def for_changes(count: int, *, search: bool) -> list[str]:
    """Return for what to ring after so many catalogue changes; `search`: somebody keeps the catalogue to search it."""
    if not count:
        return []
    return [ITEM, CATALOGUE] if search else [ITEM]


def for_events(kinds: Collection[str]) -> list[str]:
    """Return what becomes due by events of these kinds."""
    loud = set(kinds) - set(QUIET_KINDS)
    return [*([SHOPPER] if loud else []), *([BASKET] if "purchase" in loud else [])]


def claim(
    connection: Connection, kind: str, *, limit: int, lease: float, later: bool | None = None, rest: float = 0.0
) -> list[Claim]:
    """Claim up to `limit` rows never tried before, the longest due first (see `NEWEST_FIRST`), for `lease` seconds.

    Those marked `later` alone, or those that are not; by default both, and those come last. None that became due less
    than `rest` seconds ago, where that is given. Commit before working on them: the attempt has to be counted even if
    the work kills the process.
    """
    parameters = {"kind": kind, "limit": limit, "lease": lease} | _when(later)
    if rest:
        return _claimed(connection.execute(_CLAIM_RESTED, parameters | {"rest": rest}))
    return _claimed(connection.execute(_CLAIM_NEWEST if kind in NEWEST_FIRST else _CLAIM, parameters))


def claim_retry(
    connection: Connection, kind: str, *, lease: float, max_attempts: int, later: bool | None = None
) -> list[Claim]:
    """Claim one row that failed before and has attempts left, to be worked on alone."""
    parameters = {"kind": kind, "limit": 1, "lease": lease, "most_attempts": max_attempts - 1}
    return _claimed(connection.execute(_CLAIM_TRIED, parameters | _when(later)))


def clear(connection: Connection, kind: str, claims: Sequence[Claim]) -> None:
    """Delete the claimed rows, in the transaction that writes their results; one marked meanwhile stays due."""
    connection.execute(_CLEAR, _held(kind, claims))


def postpone(connection: Connection, kind: str, claims: Sequence[Claim]) -> None:
    """Leave the claimed rows due, in the transaction that writes their results: another model is to do it again."""
    connection.execute(_POSTPONE, _held(kind, claims))


def release(connection: Connection, kind: str, claims: Sequence[Claim]) -> None:
    """Give the claimed rows back after a failure; their attempts stay counted."""
    connection.execute(_RELEASE, _held(kind, claims))


def lock(connection: Connection, kind: str, claims: Sequence[Claim]) -> None:
    """Lock the claimed rows in the order of their keys, for who goes on to treat some of them in another way."""
    connection.execute(_LOCK, _held(kind, claims))


def delay(connection: Connection, kind: str, claims: Sequence[Claim]) -> None:
    """Leave the claimed rows due, as if marked just now: it is too early for them."""
    connection.execute(_DELAY, _held(kind, claims))


def mark(connection: Connection, kind: str, keys: Sequence[str]) -> None:
    """Mark the keys due."""
    connection.execute(_MARK, {"kind": kind, "keys": list(keys)})


def mark_later(connection: Connection, kind: str, keys: Sequence[str]) -> None:
    """Mark the keys due, for the process that works on what can wait; one that is due for more than that stays so."""
    connection.execute(_MARK_LATER, {"kind": kind, "keys": list(keys)})


def mark_reasons(connection: Connection, shoppers: Sequence[str]) -> None:
    """Mark the shelves of these shoppers to be explained; those that are marked stay in their place."""
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
    """Return the backlog of every kind that has one."""
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
