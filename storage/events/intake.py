"""Intake: write events, catalogue changes and order labels, and mark what is due, in one transaction.

Both doors (the intake worker, and the gateway through `AsyncConnection.run_sync`) call the functions here. The caller
owns the transaction. A write is set-based, with the whole batch as one JSON parameter, so a thousand rows cost as many
round trips as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, TextClause, event, text
from sqlalchemy.exc import DBAPIError

from storage import due
from storage.fraud import order_labels
from storage.json import ascii_text
from storage.pricing import facts

EVENTS_DOOR = "events"
CATALOGUE_DOOR = "catalogue"
LABELS_DOOR = "labels"

# Shoppers whose newest event is older than this become due only after the same interval: loading a file of old events,
# or events that a shop sends late, must not delay the shoppers who are active now.
_LONG_AGO = "interval '1 hour'"

_QUIET_KINDS = ", ".join(f"'{kind}'" for kind in due.QUIET_KINDS)


def events_statement(source: str) -> TextClause:
    """Return the statement that writes the rows of `source`, a query of the columns below with unique event ids.

    Its parameters are `offered` and `rejected` (how many rows came, and how many of them were invalid) and `writer`; it
    returns how many rows were new.
    """
    return text(f"""
WITH incoming AS (
    {source}
), fresh AS (
    INSERT INTO event_ids (event_id, at) SELECT event_id, at FROM incoming ORDER BY event_id
    ON CONFLICT (event_id) DO NOTHING RETURNING event_id
), written AS (
    INSERT INTO events (event_id, shopper, kind, item_id, at, value, quantity, session_id, surface, request_id, query,
        rank)
    SELECT event_id, shopper, kind, item_id, at, value, quantity, session_id, surface, request_id, query, rank
    FROM incoming JOIN fresh USING (event_id)
    RETURNING shopper, kind, item_id, at
), traits AS (
    INSERT INTO shopper_traits (shopper, name, value, at)
    SELECT DISTINCT ON (shopper, name) shopper, name, trait.value, at
    FROM incoming JOIN fresh USING (event_id), jsonb_each_text(coalesce(context, '{{}}')) AS trait(name, value)
    ORDER BY shopper, name, at DESC, trait.value DESC
    ON CONFLICT (shopper, name) DO UPDATE SET value = excluded.value, at = excluded.at
    WHERE (excluded.at, excluded.value) > (shopper_traits.at, shopper_traits.value)
), marked AS (
    INSERT INTO due (kind, key, since)
    SELECT 'basket', item_id, now() FROM written WHERE kind = 'purchase' GROUP BY item_id
    UNION ALL
    SELECT 'shopper', shopper,
        CASE WHEN max(at) < now() - {_LONG_AGO} THEN now() + {_LONG_AGO} ELSE now() END
    FROM written WHERE kind NOT IN ({_QUIET_KINDS}) GROUP BY shopper
    ORDER BY 1, 2
    ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL,
        later = false, since = least(due.since, excluded.since)
), counted AS (
    INSERT INTO intake_counts AS c (writer, door, written, duplicates, rejected)
    SELECT :writer, '{EVENTS_DOOR}', (SELECT count(*) FROM fresh),
           CAST(:offered AS bigint) - (SELECT count(*) FROM fresh), CAST(:rejected AS bigint)
    ON CONFLICT (writer, door) DO UPDATE SET written = c.written + excluded.written,
        duplicates = c.duplicates + excluded.duplicates, rejected = c.rejected + excluded.rejected
)
SELECT count(*) FROM fresh
""")


_FROM_JSON = """
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        event_id text, shopper text, kind text, item_id text, at timestamptz, value float8, quantity float8,
        session_id text, surface text, request_id text, query text, rank integer, context jsonb)
"""
_WRITE_EVENTS = events_statement(_FROM_JSON)

# The SQL that reads each field of an item from the JSON of a change.
_FIELDS = {
    "title": "fields->>'title'",
    "text": "coalesce(fields->>'text', '')",
    "category": "fields->>'category'",
    "brand": "fields->>'brand'",
    "price": "CAST(fields->>'price' AS float8)",
    "currency": "fields->>'currency'",
    "stock": "CAST(fields->>'stock' AS bigint)",
    "attributes": "coalesce(fields->'attributes', '{}')",
    "tags": "ARRAY(SELECT jsonb_array_elements_text(coalesce(fields->'tags', '[]')))",
    "image_url": "fields->>'image_url'",
    "deleted_at": "CAST(fields->>'deleted_at' AS timestamptz)",
}
_NEWER = "(excluded.stamps->>'{0}') COLLATE \"C\" > coalesce(items.stamps->>'{0}', '')"
_SET_NEWER = ",\n        ".join(
    f"{field} = CASE WHEN {_NEWER.format(field)} THEN excluded.{field} ELSE items.{field} END" for field in _FIELDS
)

_NEW_CHANGES = text("""
INSERT INTO change_ids (change_id, at)
SELECT * FROM jsonb_to_recordset(CAST(:ids AS jsonb)) AS r(change_id text, at timestamptz) ORDER BY change_id
ON CONFLICT (change_id) DO NOTHING RETURNING change_id
""")

_WRITE_CHANGES = text(f"""
WITH incoming AS (
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        item_id text, announced_at timestamptz, fields jsonb, stamps jsonb)
), written AS (
    INSERT INTO items (item_id, announced_at, stamps, changed_xid, {", ".join(_FIELDS)})
    SELECT item_id, announced_at, stamps, CAST(CAST(pg_current_xact_id() AS text) AS bigint),
        {", ".join(_FIELDS.values())}
    FROM incoming ORDER BY item_id
    ON CONFLICT (item_id) DO UPDATE SET
        {_SET_NEWER},
        announced_at = least(items.announced_at, excluded.announced_at),
        stamps = items.stamps || (
            SELECT coalesce(jsonb_object_agg(s.key, s.value), '{{}}') FROM jsonb_each(excluded.stamps) AS s
            WHERE (s.value #>> '{{}}') COLLATE "C" > coalesce(items.stamps->>s.key, '')),
        changed_xid = excluded.changed_xid
    RETURNING item_id
), marked AS (
    INSERT INTO due (kind, key) SELECT 'item', item_id FROM written ORDER BY 2
    ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL,
        later = false
), counted AS (
    INSERT INTO intake_counts AS c (writer, door, written, duplicates, rejected)
    SELECT :writer, '{CATALOGUE_DOOR}', CAST(:fresh AS bigint), CAST(:duplicates AS bigint), CAST(:rejected AS bigint)
    ON CONFLICT (writer, door) DO UPDATE SET written = c.written + excluded.written,
        duplicates = c.duplicates + excluded.duplicates, rejected = c.rejected + excluded.rejected
)
SELECT count(*) FROM written
""")

_COUNT_LABELS = text(f"""
INSERT INTO intake_counts AS c (writer, door, written, duplicates, rejected)
VALUES (:writer, '{LABELS_DOOR}', :written, :duplicates, :rejected)
ON CONFLICT (writer, door) DO UPDATE SET written = c.written + excluded.written,
    duplicates = c.duplicates + excluded.duplicates, rejected = c.rejected + excluded.rejected
""")

_ENSURE_PARTITIONS = text("SELECT ensure_event_partition(month) FROM unnest(CAST(:months AS date[])) AS month")

_COUNTS = text("""
SELECT door, sum(written) AS written, sum(duplicates) AS duplicates, sum(rejected) AS rejected
FROM intake_counts GROUP BY door
""")


@dataclass(frozen=True)
class Counts:
    """What came through a door: rows written, duplicates left out, rows rejected."""

    written: int = 0
    duplicates: int = 0
    rejected: int = 0


def ensure_months(connection: Connection, times: Iterable[datetime]) -> None:
    """Create the partitions that events of these times (UTC) need. Creating one blocks writers until the commit."""
    months = sorted({f"{at:%Y-%m}-01" for at in times})
    connection.execute(_ENSURE_PARTITIONS, {"months": months})


@event.listens_for(Engine, "rollback")
@event.listens_for(Engine, "rollback_savepoint")
def _forget_months(connection: Connection, *_: Any) -> None:
    """A month that was created in a transaction that failed does not exist."""
    connection.info.pop("event_months", None)


def _ensure_new_months(connection: Connection, times: Iterable[datetime]) -> None:
    """Do the same, but only once per connection: partitions of this month and later ones are never dropped."""
    known: set[tuple[int, int]] = connection.info.setdefault("event_months", set())
    missing = [at for at in times if (at.year, at.month) not in known]
    if not missing:
        return
    ensure_months(connection, missing)
    now = datetime.now(UTC)
    known |= {month for at in missing if (month := (at.year, at.month)) >= (now.year, now.month)}


def write_events(connection: Connection, rows: Sequence[dict[str, Any]], *, writer: str, rejected: int = 0) -> Counts:
    """Write events that are new by `event_id`, mark their shoppers due, and count.

    `rows` have the columns of `events`, with `at` as aware datetimes, and `context`, a dict of traits. `writer` names
    this process in the counts; `rejected` is how many rows of the batch were invalid.
    """
    unique = {row["event_id"]: row for row in rows}
    _ensure_new_months(connection, [row["at"] for row in unique.values()])
    parameters = {"rows": ascii_text(list(unique.values())), "offered": len(rows)}
    written = connection.execute(_WRITE_EVENTS, parameters | {"writer": writer, "rejected": rejected}).scalar_one()
    return Counts(written, len(rows) - written, rejected)


def write_changes(
    connection: Connection, changes: Sequence[dict[str, Any]], *, writer: str, rejected: int = 0
) -> Counts:
    """Write the catalogue changes that are new by `change_id`, mark their items due, and count.

    A change has `change_id`, `item_id`, `at` (aware), `fields` (what it sets; `deleted_at` None brings an item back)
    and `announces` (whether it may be the item's first). For each field the newest (`at`, `change_id`) wins.
    """
    unique = {change["change_id"]: change for change in changes}
    ids = [{"change_id": change["change_id"], "at": change["at"]} for change in unique.values()]
    new = set(connection.execute(_NEW_CHANGES, {"ids": ascii_text(ids)}).scalars())
    counts = Counts(len(new), len(changes) - len(new), rejected)
    rows = _fold([change for change in unique.values() if change["change_id"] in new])
    if known := [row for row in rows if not facts.FIELDS.isdisjoint(row["fields"])]:
        facts.write(connection, [_split(row) for row in known])
        # What a price depends on changes nothing that a shopper sees: an item of which that is all is not due.
        rows = [row for row in rows if row["fields"] or row["announced_at"]]
    parameters = {
        "rows": ascii_text(rows),
        "fresh": counts.written,
        "duplicates": counts.duplicates,
        "rejected": rejected,
    }
    connection.execute(_WRITE_CHANGES, parameters | {"writer": writer})
    return counts


def write_labels(connection: Connection, labels: Sequence[dict[str, Any]], *, writer: str, rejected: int = 0) -> Counts:
    """Write labels of orders (`storage.fraud.order_labels`) that are new by `label_id`, and count."""
    written = order_labels.write(connection, labels)
    counts = Counts(written, len(labels) - written, rejected)
    connection.execute(_COUNT_LABELS, {"writer": writer} | vars(counts))
    return counts


def write_each(
    connection: Connection, door: str, rows: Sequence[dict[str, Any]], *, writer: str
) -> tuple[Counts, dict[int, str]]:
    """Write one by one the rows of a batch that the database refused; return, by index, why it refuses a row."""
    counts, refused = Counts(), {}
    for index, row in enumerate(rows):
        try:
            with connection.begin_nested():
                one = WRITES[door](connection, [row], writer=writer)
        except DBAPIError as error:
            if not is_refusal(error):
                raise
            refused[index] = "the database cannot hold this row: " + str(error.orig).partition("\n")[0]
        else:
            counts = Counts(counts.written + one.written, counts.duplicates + one.duplicates)
    return counts, refused


def is_refusal(error: DBAPIError) -> bool:
    """Return whether the database refused the data of one row, so that other rows may be valid."""
    return (getattr(error.orig, "sqlstate", None) or "")[:2] in ("22", "23")


def counts(connection: Connection) -> dict[str, Counts]:
    """Return what came through each door since the database was created."""
    return {
        row.door: Counts(int(row.written), int(row.duplicates), int(row.rejected))
        for row in connection.execute(_COUNTS)
    }


WRITES = {EVENTS_DOOR: write_events, CATALOGUE_DOOR: write_changes, LABELS_DOOR: write_labels}
"""The function that writes the rows of each door."""


def _split(row: dict[str, Any]) -> dict[str, Any]:
    """Take what a price depends on out of a row of the catalogue, and return it as a row of its own."""
    names = facts.FIELDS & row["fields"].keys()
    taken = {column: {name: row[column].pop(name) for name in names} for column in ("fields", "stamps")}
    return {"item_id": row["item_id"]} | taken


def _fold(changes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge the changes of a batch into one row per item: for each field, the newest."""
    rows: dict[str, dict[str, Any]] = {}
    for change in changes:
        blank = {"item_id": change["item_id"], "announced_at": None, "fields": {}, "stamps": {}}
        row = rows.setdefault(change["item_id"], blank)
        if change["announces"]:
            row["announced_at"] = min(filter(None, (row["announced_at"], change["at"])))
        stamp = f"{change['at']:%Y-%m-%dT%H:%M:%S.%f}|{change['change_id']}"
        for field, value in change["fields"].items():
            if stamp >= row["stamps"].get(field, ""):
                row["fields"][field] = value
                row["stamps"][field] = stamp
    return list(rows.values())
