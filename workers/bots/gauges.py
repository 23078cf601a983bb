"""Gauges of the watch over bots, for Prometheus."""

from __future__ import annotations

from prometheus_client import Gauge
from sqlalchemy import Connection

from storage.bots import actors

FLAGGED = Gauge("reshelf_actors_flagged", "Actors whose events count for nobody but themselves")
ALERT = Gauge("reshelf_actors_alert", "1 while the last look at actors warns of something, else 0")


def export(connection: Connection) -> None:
    """Set them from what is flagged now."""
    found = actors.summary(connection)
    FLAGGED.set(found.flagged)
    ALERT.set(found.alert is not None)
