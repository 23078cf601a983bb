"""When the live detector learns on. Looks at the tables alone: this runs every minute, and mostly for nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine

from storage import models, order_labels
from workers.settings import Settings

_LEAST_LABELS = 20


def reason(engine: Engine, settings: Settings) -> str | None:
    """Return why the live detector is to learn on now; None where it is not, or where none serves."""
    with engine.connect() as connection:
        live = models.live(connection, models.FRAUD)
        if live is None:
            return None
        tried = [row for row in models.versions(connection, models.FRAUD) if row.parent == live.version]
        since = max(row.created_at for row in (live, *tried))
        labels = order_labels.received_since(connection, since)
    hours = (datetime.now(UTC) - since).total_seconds() / 3600
    if labels < _LEAST_LABELS:
        return None
    if settings.fraud_update_labels and labels >= settings.fraud_update_labels:
        return f"{labels:,} orders were labelled"
    if settings.fraud_update_hours and hours >= settings.fraud_update_hours:
        return f"{labels:,} orders were labelled in {hours:.1f} hours"
    return None
