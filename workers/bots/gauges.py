"""Prometheus gauges of bot detection."""

from __future__ import annotations

from prometheus_client import Gauge
from sqlalchemy import Connection

from storage.bots import actors

FLAGGED = Gauge("reshelf_actors_flagged", "Flagged shoppers, whose events count only for their own shelf")
ALERT = Gauge("reshelf_actors_alert", "1 while the detector's last run has a warning, else 0")


def export(connection: Connection) -> None:
    """Set the gauges from the database."""
    found = actors.summary(connection)
    FLAGGED.set(found.flagged)
    ALERT.set(found.alert is not None)
