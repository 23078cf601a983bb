"""When the recommender is fine-tuned."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from storage import due
from storage.registry import models, updates
from workers.registry import schedule
from workers.registry.schedule import Lineage, Rule
from workers.settings import Settings

LEAST_EVENTS = 100
"""With fewer new events than this there is no fine-tuning: counting their transitions is enough."""


def reason(engine: Engine, settings: Settings) -> str | None:
    """Return why the live version is to be fine-tuned now; None if it is not, or if no version is live."""
    return schedule.reason(engine, models.RECOMMEND, rule(settings), _new_events)


def _new_events(connection: Connection, found: Lineage) -> int:
    """Return the number of events that neither the live version nor a rejected update of it has learnt from."""
    ends = [row.learnt_through for row in (found.live, *found.tried) if row.learnt_through is not None]
    return updates.new_events(connection, max(ends, default=None), without_kinds=due.QUIET_KINDS)


def rule(settings: Settings) -> Rule:
    """Return the fine-tuning rule from the settings."""
    return Rule("new events", LEAST_EVENTS, settings.finetune_events, settings.finetune_hours)
