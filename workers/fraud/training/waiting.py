"""When the fraud detector is updated."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from storage.fraud import order_labels
from storage.registry import models
from workers.registry import schedule
from workers.registry.schedule import Lineage, Rule
from workers.settings import Settings

LEAST_FRAUDS = 20
"""With fewer frauds than this nothing is learnt or compared: the result would be chance."""
LEAST_LABELS = 20
"""With fewer newly labelled orders than this there is no update."""


def reason(engine: Engine, settings: Settings) -> str | None:
    """Return why the live detector is to be updated now; None if it is not, or if no version is live."""
    return schedule.reason(engine, models.FRAUD, rule(settings), _new_labels)


def _new_labels(connection: Connection, found: Lineage) -> int:
    """Return the number of newly labelled orders, 0 if there are too few frauds to learn from."""
    learnt = (
        found.live.metrics.get("learnt", {}).get("frauds", 0) >= LEAST_FRAUDS
    )  # or it is trained from scratch, on all
    if order_labels.frauds_since(connection, found.live.learnt_through if learnt else None) < LEAST_FRAUDS:
        return 0
    return order_labels.received_since(connection, found.created_at)


def rule(settings: Settings) -> Rule:
    """Return the update rule from the settings."""
    return Rule("orders were labelled", LEAST_LABELS, settings.fraud_update_labels, settings.fraud_update_hours)
