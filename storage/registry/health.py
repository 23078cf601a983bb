"""Health: how many batches each model version ranked, how many of them failed, and how long they took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

KEPT = timedelta(days=7)
"""How long the rows of a minute are kept."""

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
    """What one version did: batches it was asked for, how many of them raised, and the total seconds."""

    batches: int = 0
    failures: int = 0
    seconds: float = 0.0


def record(connection: Connection, version: str, *, seconds: float, batches: int = 1, failed: bool = False) -> None:
    """Count batches that `version` was asked to rank. Call it last in a transaction: several workers share a row."""
    parameters = {"version": version, "batches": batches, "seconds": seconds, "failed": failed}
    connection.execute(_RECORD, parameters)


def lately(
    connection: Connection, versions: Sequence[str], *, minutes: int, since: datetime | None = None
) -> dict[str, Health]:
    """Return what each of `versions` did in this minute and the `minutes` before it.

    Minutes that ended before `since` are left out.
    """
    found = {version: Health() for version in versions}
    parameters = {"versions": list(versions), "minutes": minutes, "since": since}
    for row in connection.execute(_SINCE, parameters):
        found[row.version] = Health(int(row.batches), int(row.failures), float(row.seconds))
    return found


def forget(connection: Connection) -> None:
    """Delete minutes older than `KEPT`."""
    connection.execute(_FORGET, {"kept": KEPT.total_seconds()})
