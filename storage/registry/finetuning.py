"""When a version is to be fine-tuned: how many events came after it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, text

from storage.bots import actors

_COUNT = text(f"""
SELECT count(*) FROM events
WHERE item_id IS NOT NULL AND kind <> ALL(CAST(:without AS text[]))
    AND at > coalesce(CAST(:since AS timestamptz), '-infinity') AND {actors.counts("events")}
""")


def new_events(connection: Connection, since: datetime | None, *, without_kinds: Collection[str]) -> int:
    """Return how many counting events on items, of all kinds but those left out, happened after `since`."""
    parameters = {"since": since, "without": list(without_kinds)}
    return int(connection.execute(_COUNT, parameters).scalar_one())
