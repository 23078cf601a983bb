"""Updates of a live version: how many events are new to it, and how often an update was tried."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, text

from storage.bots import actors
from storage.registry import models

# The watermark that counts the attempts of each capability.
_NAMES = {models.RECOMMEND: "finetune", models.SEARCH: "update_search", models.FRAUD: "update_fraud"}

# `value` is the version, a space, and the number of attempts.
_TRY = text("""
INSERT INTO watermarks (name, value) VALUES (:name, :version || ' 1')
ON CONFLICT (name) DO UPDATE SET value = CASE
    WHEN split_part(watermarks.value, ' ', 1) = :version
    THEN :version || ' ' || (split_part(watermarks.value, ' ', 2)::int + 1)
    ELSE :version || ' 1' END
""")

_TRIED = text("""
SELECT split_part(value, ' ', 2)::int FROM watermarks WHERE name = :name AND split_part(value, ' ', 1) = :version
""")

_FORGET = text("DELETE FROM watermarks WHERE name = :name")

_COUNT = text(f"""
SELECT count(*) FROM events
WHERE item_id IS NOT NULL AND kind <> ALL(CAST(:without AS text[]))
    AND at > coalesce(CAST(:since AS timestamptz), '-infinity') AND {actors.counts("events")}
""")


# Only until the first version is there.
_SHOPPERS = text(f"""
SELECT count(*) FROM (
    SELECT FROM events
    WHERE item_id IS NOT NULL AND kind <> ALL(CAST(:without AS text[])) AND received_at < :before
        AND {actors.counts("events")}
    GROUP BY shopper HAVING count(*) >= :least
) AS shoppers
""")


def new_events(connection: Connection, since: datetime | None, *, without_kinds: Collection[str]) -> int:
    """Return how many counting events on items, of all kinds but those left out, happened after `since`."""
    parameters = {"since": since, "without": list(without_kinds)}
    return int(connection.execute(_COUNT, parameters).scalar_one())


def shoppers_with_events(
    connection: Connection, *, least: int, received_before: datetime, without_kinds: Collection[str]
) -> int:
    """Return how many shoppers have `least` counting events on items, of all kinds but those left out."""
    parameters = {"least": least, "before": received_before, "without": list(without_kinds)}
    return int(connection.execute(_SHOPPERS, parameters).scalar_one())


def note_attempt(connection: Connection, capability: str, version: str) -> None:
    """Count an attempt to update this version; commit it before the work."""
    connection.execute(_TRY, {"name": _NAMES[capability], "version": version})


def attempts(connection: Connection, capability: str, version: str) -> int:
    """Return how many attempts to update this version ended without a result."""
    return int(connection.execute(_TRIED, {"name": _NAMES[capability], "version": version}).scalar() or 0)


def forget_attempts(connection: Connection, capability: str) -> None:
    """Reset the count: an attempt had a result."""
    connection.execute(_FORGET, {"name": _NAMES[capability]})
