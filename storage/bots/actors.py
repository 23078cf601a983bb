"""Bots: shoppers who are flagged. Their events are kept, but count only for their own shelf.

The flag is a row here and not a column of `events`: one row flags everything that a shopper did and will do, and clears
it again, whatever the number of events. A query that reads events to change what other shoppers see joins `counts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Row, Select, delete, func, select, text

from storage import due
from storage.json import ascii_text
from storage.tables import actors, events

MOVED = (due.ACTOR, due.BASKET)
"""The due kinds that are marked when a shopper is flagged or cleared."""

DETECTOR = "detector"
"""`flagged_by` of shoppers that the detector flagged."""
BY_HAND = "by hand"
"""The reason if a person flagged without giving one."""

SPARED_DAYS = 30
"""Days for which the detector does not flag a cleared shopper again for the same reasons."""

ACT_COLUMNS = ("shopper", "item_id", "at", "paid")
"""The columns of `acts_csv`; `at` is in microseconds since 1970."""


def counts(events_of: str) -> str:
    """Return the SQL condition that the events of this table or alias count, because their shopper is not flagged."""
    return f"NOT EXISTS (SELECT FROM actors WHERE actors.shopper = {events_of}.shopper AND actors.flagged)"


_QUIET = ", ".join(f"'{kind}'" for kind in due.QUIET_KINDS)

_FLAG = text("""
INSERT INTO actors AS a (shopper, flagged, reasons, detail, flagged_by)
SELECT shopper, true, reasons, detail, :by
FROM json_to_recordset(CAST(:rows AS json)) AS r(shopper text, reasons text[], detail text) ORDER BY shopper
ON CONFLICT (shopper) DO UPDATE SET flagged = true, reasons = excluded.reasons, detail = excluded.detail,
    flagged_by = excluded.flagged_by, flagged_at = now(), changes = a.changes + 1
WHERE NOT a.flagged AND (:again OR a.spared_until < now() OR NOT excluded.reasons <@ a.reasons)
RETURNING shopper
""")

_CLEAR = text("""
UPDATE actors SET flagged = false, cleared_by = :by, cleared_at = now(), changes = changes + 1,
    spared_until = now() + :days * interval '1 day'
WHERE shopper = ANY(:shoppers) AND flagged RETURNING shopper
""")

# Their transitions and the baskets with their purchases are counted again.
_MARK = text("""
INSERT INTO due (kind, key)
SELECT 'basket', item_id FROM events WHERE shopper = ANY(:shoppers) AND kind = 'purchase'
UNION SELECT 'actor', shopper FROM unnest(CAST(:shoppers AS text[])) AS shopper ORDER BY 1, 2
ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL, later = false
""")

_FLAGGED_OF = text("SELECT shopper FROM actors WHERE shopper = ANY(:shoppers) AND flagged")

# Existing shelves that show one of the items near the top. They are marked `later`: fresh events go first.
_MARK_SHOWN = text("""
INSERT INTO due (kind, key, later)
SELECT 'shopper', owner, true FROM rankings
WHERE surface = 'home' AND item_nos[1:CAST(:first AS int)]
    && ARRAY(SELECT CAST(item_no AS integer) FROM items WHERE item_id = ANY(:item_ids)) ORDER BY owner
ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL
""")

# Events that a shop dated into the future must not move the window.
_WINDOW = text("""
WITH newest AS (SELECT max(at) AS at FROM events WHERE at <= now())
SELECT greatest(newest.at - :hours * interval '1 hour', (
    SELECT at FROM events WHERE at <= newest.at ORDER BY at DESC OFFSET :most LIMIT 1)) AS since, newest.at AS until
FROM newest WHERE newest.at IS NOT NULL
""")

_ACTS = sql.SQL(f"""
COPY (
    SELECT shopper, item_id, CAST(extract(epoch FROM at) * 1000000 AS bigint) AS at, CAST(kind = 'purchase' AS int)
        AS paid
    FROM events WHERE at > {{since}} AND at <= {{until}} AND item_id IS NOT NULL AND kind NOT IN ({_QUIET})
    ORDER BY shopper, at, event_id
) TO STDOUT WITH (FORMAT csv, HEADER true)
""")  # fmt: skip

_PROFILES = text("""
WITH active AS (
    SELECT shopper, count(*) FILTER (WHERE kind = 'impression') AS impressions,
        coalesce(bool_or(kind = 'purchase'), false) AS bought
    FROM events WHERE at > :since AND at <= :until GROUP BY shopper
)
SELECT shopper, impressions, before.known, before.bought AS bought_before, active.bought OR before.bought AS bought,
    coalesce(NOT a.flagged AND a.spared_until > now(), false) AS spared
FROM active CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM events AS e WHERE e.shopper = active.shopper AND at <= :since) AS known,
        EXISTS (SELECT FROM events AS e WHERE e.shopper = active.shopper AND at <= :since AND kind = 'purchase')
            AS bought
) AS before LEFT JOIN actors AS a USING (shopper) ORDER BY shopper
""")

_COUNT = text("SELECT count(*) FILTER (WHERE flagged_at > now() - interval '1 day') AS lately, count(*) AS flagged "
              "FROM actors WHERE flagged")  # fmt: skip

# Only shoppers flagged after the version was made: a later training leaves their events out anyway.
_LEARNT = text("""
SELECT count(*) FROM actors AS a JOIN events AS e USING (shopper), live_models JOIN model_versions AS v USING (version)
WHERE a.flagged AND a.flagged_at > v.created_at AND live_models.capability = 'recommend' AND e.at <= v.learnt_through
    AND e.received_at <= v.created_at AND e.item_id IS NOT NULL
""")

# The warning of the detector's last run, as a text; empty if there is none.
_WRITE_ALERT = text("""
INSERT INTO watermarks (name, value) VALUES ('actors_alert', :alert)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
""")
_READ_ALERT = text("SELECT value FROM watermarks WHERE name = 'actors_alert' AND value <> ''")


@dataclass(frozen=True)
class Suspicion:
    """A shopper to flag, the reasons as one word each, and a sentence that says what was seen."""

    shopper: str
    reasons: Sequence[str]
    detail: str


@dataclass(frozen=True)
class Window:
    """A span of event time: after `since`, up to `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Summary:
    """How many shoppers are flagged, how many of them since a day ago, and the warning of the detector's last run."""

    flagged: int
    lately: int
    alert: str | None


def flag(connection: Connection, found: Sequence[Suspicion], *, by: str) -> list[str]:
    """Flag the shoppers who are not flagged yet, and mark due what that changes (`MOVED`); return those flagged now.

    The detector does not flag a shopper who was cleared lately, unless there is another reason.
    """
    parameters = {"rows": ascii_text([vars(one) for one in found]), "by": by, "again": by != DETECTOR}
    return _changed(connection, list(connection.execute(_FLAG, parameters).scalars()))


def clear(connection: Connection, shoppers: Sequence[str], *, by: str) -> list[str]:
    """Let the shoppers' events count again, and mark due what that changes (`MOVED`); return those who were flagged."""
    parameters = {"shoppers": list(shoppers), "by": by, "days": SPARED_DAYS}
    return _changed(connection, list(connection.execute(_CLEAR, parameters).scalars()))


def flagged_of(connection: Connection, shoppers: Sequence[str]) -> set[str]:
    """Return the shoppers among these who are flagged."""
    return set(connection.execute(_FLAGGED_OF, {"shoppers": list(shoppers)}).scalars())


def mark_shown(connection: Connection, item_ids: Sequence[str], *, first: int) -> int:
    """Mark due the shoppers whose shelf has one of the items among its first `first`; return how many."""
    return connection.execute(_MARK_SHOWN, {"item_ids": list(item_ids), "first": first}).rowcount if item_ids else 0


def every(connection: Connection, *, flagged: bool = True, most: int) -> Sequence[Row[Any]]:
    """Return the flagged (or the cleared) shoppers with the number of their events, the last changed first."""
    changed = func.greatest(actors.c.flagged_at, actors.c.cleared_at)
    query: Select[Any] = select(*actors.c, _events()).where(actors.c.flagged == flagged)
    return connection.execute(query.order_by(changed.desc(), actors.c.shopper).limit(most)).all()


def named(connection: Connection, shopper: str) -> Row[Any] | None:
    """Return one flagged or cleared shopper, None if the shopper was never flagged."""
    query: Select[Any] = select(*actors.c, _events()).where(actors.c.shopper == shopper)
    return connection.execute(query).one_or_none()


def summary(connection: Connection) -> Summary:
    """Return how many shoppers are flagged, and the warning of the detector's last run."""
    row = connection.execute(_COUNT).one()
    return Summary(int(row.flagged), int(row.lately), connection.execute(_READ_ALERT).scalar())


def learnt(connection: Connection) -> int:
    """Return how many events of shoppers who are flagged now the live version has learnt from."""
    return int(connection.execute(_LEARNT).scalar_one())


def write_alert(connection: Connection, alert: str | None) -> None:
    """Keep the warning of the detector's last run, in place of the one before."""
    connection.execute(_WRITE_ALERT, {"alert": alert or ""})


def window(connection: Connection, *, hours: float, most: int) -> Window | None:
    """Return the last `hours` before the newest event, or the span of the last `most` events if that is shorter.

    None if there are no events.
    """
    row = connection.execute(_WINDOW, {"hours": hours, "most": most}).one_or_none()
    return None if row is None else Window(row.since, row.until)


def acts_csv(connection: Connection, span: Window) -> Iterator[bytes | memoryview]:
    """Yield what shoppers, flagged or not, did with items in the window, as CSV of `ACT_COLUMNS`, by shopper and time.

    Impressions are left out.
    """
    query = _ACTS.format(since=sql.Literal(span.since), until=sql.Literal(span.until))
    psycopg_connection: Any = connection.connection
    with psycopg_connection.cursor() as cursor, cursor.copy(query) as copy:
        yield from copy


def profiles(connection: Connection, span: Window) -> Sequence[Row[Any]]:
    """Return a row for every shopper with an event in the window, by shopper.

    Its columns are `impressions` in the window; whether the shopper was `known` and had `bought_before` it; whether
    they have `bought` by its end; and whether they are `spared` because they were cleared.
    """
    return connection.execute(_PROFILES, {"since": span.since, "until": span.until}).all()


def forget_gone(connection: Connection, before: datetime) -> int:
    """Delete the bots that have no kept events and changed last before `before`; return how many."""
    gone = ~select(events.c.shopper).where(events.c.shopper == actors.c.shopper).exists()
    changed = func.greatest(actors.c.flagged_at, actors.c.cleared_at)
    return connection.execute(delete(actors).where(gone, changed < before)).rowcount


def _changed(connection: Connection, shoppers: list[str]) -> list[str]:
    if shoppers:
        connection.execute(_MARK, {"shoppers": shoppers})
    return sorted(shoppers)


def _events() -> Any:
    mine = select(func.count()).where(events.c.shopper == actors.c.shopper)
    return mine.scalar_subquery().label("events")
