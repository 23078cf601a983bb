"""When search is trained again."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from model.search import config as configs
from model.text import analyser
from storage.registry import models, updates
from storage.search import search_log
from workers.registry import schedule
from workers.registry.schedule import Lineage, Rule
from workers.settings import Settings

LEAST_CHANGES = 20
"""With fewer new items and clicked searches than this there is no training."""


def reason(engine: Engine, settings: Settings) -> str | None:
    """Return why search is to be trained anew now; None where it is not, or where no version serves."""
    return _other_analyser(engine) or schedule.reason(engine, models.SEARCH, rule(settings), _new_changes)


def _other_analyser(engine: Engine) -> str | None:
    """Return that the live version cannot serve any more, since it knows other terms, and that this was not tried."""
    with engine.connect() as connection:
        live = models.live(connection, models.SEARCH)
        if live is None or configs.analyser_of(live.config) == analyser.VERSION:
            return None
        known = [row.config for row in models.versions(connection, models.SEARCH) if row.parent == live.version]
        tried = updates.attempts(connection, models.SEARCH, live.version)
    is_answered = any(configs.analyser_of(config) == analyser.VERSION for config in known)
    return None if is_answered or tried >= schedule.MOST_ATTEMPTS else "words are cut in another way than it learnt"


def _new_changes(connection: Connection, found: Lineage) -> int:
    return search_log.new(connection, max(row.learnt_through or row.created_at for row in (found.live, *found.tried)))


def rule(settings: Settings) -> Rule:
    """Return the training rule from the settings."""
    things = "new items and searches with a click"
    return Rule(things, LEAST_CHANGES, settings.search_train_changes, settings.search_train_hours)
