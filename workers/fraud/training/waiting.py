"""When the detector of fraud learns on."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from storage.fraud import order_labels
from storage.registry import models
from workers.registry import schedule
from workers.registry.schedule import Lineage, Rule
from workers.settings import Settings

LEAST_FRAUDS = 20
"""With fewer of them nothing is learnt, or nothing is compared: too few to tell luck from skill."""
LEAST_LABELS = 20
"""Fewer newly labelled orders than this are not worth an update."""


def reason(engine: Engine, settings: Settings) -> str | None:
    """Return why the live detector is to learn on now; None where it is not, or where none serves."""
    return schedule.reason(engine, models.FRAUD, rule(settings), _new_labels)


def _new_labels(connection: Connection, found: Lineage) -> int:
    """0 where there are too few frauds to learn of."""
    learnt = found.live.metrics.get("learnt", {}).get("frauds", 0) >= LEAST_FRAUDS  # or it is trained anew, on all
    if order_labels.frauds_since(connection, found.live.learnt_through if learnt else None) < LEAST_FRAUDS:
        return 0
    return order_labels.received_since(connection, found.created_at)


def rule(settings: Settings) -> Rule:
    """Return the rule of the settings."""
    return Rule("orders were labelled", LEAST_LABELS, settings.fraud_update_labels, settings.fraud_update_hours)
