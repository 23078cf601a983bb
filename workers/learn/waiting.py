"""What waits to be learned. Looks at the tables alone: this runs every minute, and mostly for nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row

from storage import attempts, due, finetuning, models
from workers.learn import schedule
from workers.learn.schedule import Waiting
from workers.settings import Settings


def reason(engine: Engine, settings: Settings) -> str | None:
    """Return why the live version is to be fine-tuned now; None where it is not, or where none serves."""
    with engine.connect() as connection:
        live = models.live(connection)
        if live is None:
            return None
        waiting = _waiting(connection, live)
    return schedule.reason(waiting, events=settings.finetune_events, hours=settings.finetune_hours)


def _waiting(connection: Connection, live: Row[Any]) -> Waiting:
    """What neither the live version knows nor an update of it that was rejected."""
    tried = [row for row in models.versions(connection, models.RECOMMEND) if row.parent == live.version]
    ends = [row.learnt_through for row in (live, *tried) if row.learnt_through is not None]
    since = max(ends, default=None)
    count = finetuning.new_events(connection, since, without_kinds=due.QUIET_KINDS)
    latest = max(row.created_at for row in (live, *tried))
    hours = (datetime.now(UTC) - latest).total_seconds() / 3600
    return Waiting(count, hours, attempts.count(connection, attempts.FINETUNE, live.version))
