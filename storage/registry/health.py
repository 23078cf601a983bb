"""Health: how often each model version was asked for a batch, how often it failed, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

KEPT = timedelta(days=7)
"""For how long minutes are kept."""

_RECORD = text("""
INSERT INTO version_health AS h (version, minute, batches, failures, seconds)
VALUES (:version, date_trunc('minute', now()), :batches, CAST(:failed AS int), :seconds)
ON CONFLICT (version, minute) DO UPDATE SET batches = h.batches + excluded.batches,
    failures = h.failures + excluded.failures, seconds = h.seconds + excluded.seconds
""")

_SINCE = text("""
SELECT version, sum(batches) AS batches, sum(failures) AS failures, sum(seconds) AS seconds FROM version_health
WHERE version = ANY(:versions) AND minute >= greatest(
    date_trunc('minute', now()) - :minutes * interval '1 minute', date_trunc('minute', CAST(:since AS timestamptz)))
GROUP BY version
""")

_FORGET = text("DELETE FROM version_health WHERE minute < now() - :kept * interval '1 second'")


@dataclass(frozen=True)
class Health:
    """What one version did: batches asked for, those of them that raised, and the seconds of all together."""

    batches: int = 0
    failures: int = 0
    seconds: float = 0.0


def record(connection: Connection, version: str, *, seconds: float, batches: int = 1, failed: bool = False) -> None:
    """Count batches that `version` was asked to rank. Several workers share a row: call it last in a transaction."""
    parameters = {"version": version, "batches": batches, "seconds": seconds, "failed": failed}
    connection.execute(_RECORD, parameters)


def lately(
    connection: Connection, versions: Sequence[str], *, minutes: int, since: datetime | None = None
) -> dict[str, Health]:
    """Return, for each of `versions`, what it did in this minute and the `minutes` before it.

    Minutes that ended before `since` are left out.
    """
    found = {version: Health() for version in versions}
    parameters = {"versions": list(versions), "minutes": minutes, "since": since}
    for row in connection.execute(_SINCE, parameters):
        found[row.version] = Health(int(row.batches), int(row.failures), float(row.seconds))
    return found


def forget(connection: Connection) -> None:
    """Delete the minutes that are no longer kept."""
    connection.execute(_FORGET, {"kept": KEPT.total_seconds()})
