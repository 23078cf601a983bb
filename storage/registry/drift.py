"""Drift: the queries that measure a window of time, and the stored measurements.

A window is from `since` (exclusive) to `until` (inclusive). Events of `due.QUIET_KINDS` and of flagged bots do not
count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, text

from storage import due
from storage.bots import actors
from storage.registry import models
from storage.tables import drift_measurements, live_models

KEPT_DAYS = 90

# Events that a shop dated into the future must not move the window.
_NEWEST = text("SELECT max(at) FROM events WHERE at <= now()")

_IN_WINDOW = (
    "at > :since AND at <= :until AND item_id IS NOT NULL AND kind <> ALL(CAST(:without AS text[])) AND "
    + actors.counts("events")
)

_ITEMS = text(f"SELECT item_id, count(*) AS events FROM events WHERE {_IN_WINDOW} GROUP BY item_id")

_SAMPLE = text(f"""
SELECT shopper FROM (SELECT DISTINCT shopper FROM events WHERE {_IN_WINDOW}) AS active
ORDER BY hashtextextended(shopper, 0), shopper LIMIT :most
""")

_NEW = text("""
SELECT count(*) FROM unnest(CAST(:shoppers AS text[])) AS s(shopper)
WHERE NOT EXISTS (SELECT FROM events WHERE events.shopper = s.shopper AND at <= :since)
""")

# In the order of `storage.registry.training`: the order of the ids would help to predict the next id.
_HISTORIES = text("""
SELECT s.shopper, e.item_id, e.kind, CAST(extract(epoch FROM e.at) * 1000000 AS bigint) AS at
FROM unnest(CAST(:shoppers AS text[])) AS s(shopper) CROSS JOIN LATERAL (
    SELECT item_id, kind, at, event_id FROM events
    WHERE events.shopper = s.shopper AND at <= :until AND item_id IS NOT NULL
        AND kind <> ALL(CAST(:without AS text[]))
    ORDER BY at DESC, hashtextextended(event_id, 0) DESC, event_id DESC LIMIT :length
) AS e ORDER BY s.shopper, e.at, hashtextextended(e.event_id, 0), e.event_id
""")

# The reference of the live version is kept for as long as it is live.
_FORGET = text("""
DELETE FROM drift_measurements WHERE measured_at < now() - :days * interval '1 day'
    AND (reference IS NULL OR version NOT IN (SELECT version FROM live_models))
""")


@dataclass(frozen=True)
class Window:
    """A span of event time: after `since`, up to `until`."""

    since: datetime
    until: datetime


def newest_event(connection: Connection) -> datetime | None:
    """Return the time of the newest event, None if there are no events."""
    newest: datetime | None = connection.execute(_NEWEST).scalar()
    return newest


def item_events(connection: Connection, window: Window) -> dict[str, int]:
    """Return the number of events of each item in the window; items without events are left out."""
    return {row.item_id: row.events for row in connection.execute(_ITEMS, _bounds(window))}


def sample(connection: Connection, window: Window, *, most: int) -> list[str]:
    """Return up to `most` shoppers with an event in the window, sampled by hash, so that the sample is stable."""
    return list(connection.execute(_SAMPLE, _bounds(window) | {"most": most}).scalars())


def newcomers(connection: Connection, shoppers: Sequence[str], window: Window) -> int:
    """Return how many of the shoppers have no event before the window."""
    return int(connection.execute(_NEW, {"shoppers": list(shoppers), "since": window.since}).scalar_one())


def histories(connection: Connection, shoppers: Sequence[str], window: Window, *, length: int) -> Sequence[Row[Any]]:
    """Return each shopper's last `length` events up to the window's end, by shopper and event time.

    The columns are those of `storage.registry.training.EVENT_COLUMNS`.
    """
    parameters = {"shoppers": list(shoppers), "until": window.until, "length": length}
    return connection.execute(_HISTORIES, parameters | {"without": list(due.QUIET_KINDS)}).all()


def add(
    connection: Connection,
    version: str,
    window: Window,
    figures: Mapping[str, Any],
    *,
    reference: Mapping[str, Any] | None,
    alert: str | None,
) -> None:
    """Store a measurement; the first one of a version brings the `reference` that later ones are compared with."""
    row = {"version": version, "window_start": window.since, "window_end": window.until}
    row |= {"figures": dict(figures), "reference": reference, "alert": alert}
    connection.execute(insert(drift_measurements), row)


def newest(connection: Connection, *, most: int) -> Sequence[Row[Any]]:
    """Return the last `most` measurements of all versions, the newest first."""
    return connection.execute(_measurements().limit(most)).all()


def latest(connection: Connection, capability: str = models.RECOMMEND) -> Row[Any] | None:
    """Return the newest measurement of the live version, None if it has none."""
    live = select(live_models.c.version).where(live_models.c.capability == capability).scalar_subquery()
    return connection.execute(_measurements().where(drift_measurements.c.version == live).limit(1)).one_or_none()


def reference(connection: Connection, version: str) -> Mapping[str, Any] | None:
    """Return what the measurements of a version are compared with, None if it has no measurement."""
    query = _measurements().where(drift_measurements.c.version == version, drift_measurements.c.reference.is_not(None))
    row = connection.execute(query.limit(1)).one_or_none()
    return None if row is None else dict(row.reference)


def forget_old(connection: Connection) -> int:
    """Delete the measurements that are older than `KEPT_DAYS`; return how many."""
    return connection.execute(_FORGET, {"days": KEPT_DAYS}).rowcount


def _measurements() -> Select[Any]:
    return select(drift_measurements).order_by(drift_measurements.c.id.desc())


def _bounds(window: Window) -> dict[str, Any]:
    return {"since": window.since, "until": window.until, "without": list(due.QUIET_KINDS)}
