"""When search is trained anew. Looks at the tables alone: this runs every minute, and mostly for nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from storage import attempts, models, searches
from workers.learn.schedule import MOST_ATTEMPTS, Waiting
from workers.settings import Settings

LEAST_CHANGES = 20
"""Fewer new items and clicked searches than this are not worth a training."""


def reason(engine: Engine, settings: Settings) -> str | None:
    """Return why search is to be trained anew now; None where it is not, or where no version serves."""
    with engine.connect() as connection:
        waiting = _waiting(connection)
    if waiting is None:
        return None
    return decide(waiting, changes=settings.search_train_changes, hours=settings.search_train_hours)


def decide(waiting: Waiting, *, changes: int, hours: float) -> str | None:
    """Return why to train now, None for not yet. `changes` or `hours` of 0 turn that half of the rule off."""
    if waiting.events < LEAST_CHANGES or waiting.attempts >= MOST_ATTEMPTS:
        return None
    told = f"{waiting.events:,} new items and searches with a click"
    if changes and waiting.events >= changes:
        return told
    if hours and waiting.hours >= hours:
        return f"{told} in {waiting.hours:.1f} hours"
    return None


def _waiting(connection: Connection) -> Waiting | None:
    """What neither the live version knows nor one that was trained after it and rejected."""
    live = models.live(connection, models.SEARCH)
    if live is None:
        return None
    tried = [row for row in models.versions(connection, models.SEARCH) if row.parent == live.version]
    since = max(row.learnt_through or row.created_at for row in (live, *tried))
    hours = (datetime.now(UTC) - max(row.created_at for row in (live, *tried))).total_seconds() / 3600
    return Waiting(searches.new(connection, since), hours, attempts.count(connection, attempts.SEARCH, live.version))
