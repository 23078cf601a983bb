"""When search is trained anew."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from storage.registry import models
from storage.search import search_log
from workers.registry import schedule
from workers.registry.schedule import Lineage, Rule
from workers.settings import Settings

LEAST_CHANGES = 20
"""Fewer new items and clicked searches than this are not worth a training."""


def reason(engine: Engine, settings: Settings) -> str | None:
    """Return why search is to be trained anew now; None where it is not, or where no version serves."""
    return schedule.reason(engine, models.SEARCH, rule(settings), _new_changes)


def _new_changes(connection: Connection, found: Lineage) -> int:
    return search_log.new(connection, max(row.learnt_through or row.created_at for row in (found.live, *found.tried)))


def rule(settings: Settings) -> Rule:
    """Return the rule of the settings."""
    things = "new items and searches with a click"
    return Rule(things, LEAST_CHANGES, settings.search_train_changes, settings.search_train_hours)
