"""When the recommender is fine-tuned."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from storage import due
from storage.registry import finetuning, models
from workers.registry import schedule
from workers.registry.schedule import Lineage, Rule
from workers.settings import Settings

LEAST_EVENTS = 100
"""Fewer new events than this teach nothing that their counted transitions do not."""


def reason(engine: Engine, settings: Settings) -> str | None:
    """Return why the live version is to be fine-tuned now; None where it is not, or where none serves."""
    return schedule.reason(engine, models.RECOMMEND, rule(settings), _new_events)


def _new_events(connection: Connection, found: Lineage) -> int:
    """Neither what the live version knows nor what an update of it learnt that was rejected."""
    ends = [row.learnt_through for row in (found.live, *found.tried) if row.learnt_through is not None]
    return finetuning.new_events(connection, max(ends, default=None), without_kinds=due.QUIET_KINDS)


def rule(settings: Settings) -> Rule:
    """Return the rule of the settings."""
    return Rule("new events", LEAST_EVENTS, settings.finetune_events, settings.finetune_hours)
