"""Intake: behaviour events and catalogue changes to rows, with a mark of what is now due, in one transaction.

Both doors (the Celery task, and the gateway through `AsyncConnection.run_sync`) call the functions here. The caller
owns the transaction. Each write is one set-based statement whose only data parameter is a JSON array, so a batch of a
thousand rows costs one round trip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, TextClause, text

from storage.json import ascii_text

EVENTS_DOOR = "events"
CATALOGUE_DOOR = "catalogue"

# A shopper is due for what moves a shelf: having been shown an item, or having searched, does not.
_QUIET_KINDS = "('impression', 'search')"


def events_statement(source: str) -> TextClause:
    """Return the statement that writes the rows of `source`, a query of the columns below with unique event ids.

    Its parameters are `offered` and `rejected` (how many rows came, and were none) and `writer`; it returns how many
    rows were new.
    """
    return text(f"""
WITH incoming AS (
    {source}
), fresh AS (
    INSERT INTO event_ids (event_id, at) SELECT event_id, at FROM incoming ORDER BY event_id
    ON CONFLICT (event_id) DO NOTHING RETURNING event_id
), written AS (
    INSERT INTO events (event_id, shopper, kind, item_id, at, value, quantity, session_id, surface, request_id, query)
    SELECT event_id, shopper, kind, item_id, at, value, quantity, session_id, surface, request_id, query
    FROM incoming JOIN fresh USING (event_id)
    RETURNING shopper, kind, item_id
), traits AS (
    INSERT INTO shopper_traits (shopper, name, value, at)
    SELECT DISTINCT ON (shopper, name) shopper, name, trait.value, at
    FROM incoming JOIN fresh USING (event_id), jsonb_each_text(coalesce(context, '{{}}')) AS trait(name, value)
    ORDER BY shopper, name, at DESC, trait.value DESC
    ON CONFLICT (shopper, name) DO UPDATE SET value = excluded.value, at = excluded.at
    WHERE (excluded.at, excluded.value) > (shopper_traits.at, shopper_traits.value)
), marked AS (
    INSERT INTO due (kind, key)
    SELECT 'basket', item_id FROM written WHERE kind = 'purchase'
    UNION SELECT 'shopper', shopper FROM written WHERE kind NOT IN {_QUIET_KINDS}
    ORDER BY 1, 2
    ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL
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
        session_id text, surface text, request_id text, query text, context jsonb)
"""
_WRITE_EVENTS = events_statement(_FROM_JSON)

# Every field of an item, and how it is read from the JSON of a change.
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

_WRITE_CHANGES = text(f"""
WITH new_ids AS (
    INSERT INTO change_ids (change_id, at)
    SELECT * FROM jsonb_to_recordset(CAST(:ids AS jsonb)) AS r(change_id text, at timestamptz) ORDER BY change_id
    ON CONFLICT (change_id) DO NOTHING RETURNING change_id
), incoming AS (
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
    ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL
), counted AS (
    INSERT INTO intake_counts AS c (writer, door, written, duplicates, rejected)
    SELECT :writer, '{CATALOGUE_DOOR}', (SELECT count(*) FROM new_ids),
           CAST(:offered AS bigint) - (SELECT count(*) FROM new_ids), CAST(:rejected AS bigint)
    ON CONFLICT (writer, door) DO UPDATE SET written = c.written + excluded.written,
        duplicates = c.duplicates + excluded.duplicates, rejected = c.rejected + excluded.rejected
)
SELECT count(*) FROM new_ids
""")

_ENSURE_PARTITION = text("SELECT ensure_event_partition(CAST(:month AS date))")

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


def write_events(connection: Connection, rows: Sequence[dict[str, Any]], *, writer: str, rejected: int = 0) -> Counts:
    """Write events that are new by `event_id`, mark their shoppers due, and count.

    `rows` have the columns of `events`, with `at` as aware datetimes, and `context`, a dict of traits. `writer` names
    this process in the counts; `rejected` is how many rows of the batch were none.
    """
    unique = {row["event_id"]: row for row in rows}
    for month in sorted({_month(row["at"]) for row in unique.values()}):
        connection.execute(_ENSURE_PARTITION, {"month": month})
    parameters = {"rows": ascii_text(list(unique.values())), "offered": len(rows)}
    written = connection.execute(_WRITE_EVENTS, parameters | {"writer": writer, "rejected": rejected}).scalar_one()
    return Counts(written, len(rows) - written, rejected)


def write_changes(
    connection: Connection, changes: Sequence[dict[str, Any]], *, writer: str, rejected: int = 0
) -> Counts:
    """Write catalogue changes, mark their items due, and count.

    A change has `change_id`, `item_id`, `at` (aware), `fields` (what it sets; `deleted_at` None brings an item back)
    and `announces` (whether it may be the item's first). For each field the newest (`at`, `change_id`) wins.
    """
    ids = {change["change_id"]: change["at"] for change in changes}
    parameters = {
        "ids": ascii_text([{"change_id": change_id, "at": at} for change_id, at in ids.items()]),
        "rows": ascii_text(_fold(changes)),
        "offered": len(changes),
    }
    written = connection.execute(_WRITE_CHANGES, parameters | {"writer": writer, "rejected": rejected}).scalar_one()
    return Counts(written, len(changes) - written, rejected)


def counts(connection: Connection) -> dict[str, Counts]:
    """Return what came through each door since the database was made."""
    return {
        row.door: Counts(int(row.written), int(row.duplicates), int(row.rejected))
        for row in connection.execute(_COUNTS)
    }


def _fold(changes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge the changes of a batch to one row an item: for each field, the newest."""
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


def _month(at: datetime) -> str:
    return f"{at:%Y-%m}-01"
