"""When the recommender learns unasked: the first model, and its fine-tuning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from storage import due
from storage.registry import models, updates
from workers.registry import schedule
from workers.registry.schedule import Lineage, Rule
from workers.settings import Settings

LEAST_EVENTS = 100
"""With fewer new events than this there is no fine-tuning: counting their transitions is enough."""
EVENTS_OF_A_SHOPPER = 3
"""A shopper with fewer has nothing to learn from once an event to predict and one to choose by are set aside."""

_SETTLING = timedelta(minutes=15)
"""Somebody who loads a history, and trains on it, is not to find a training under way."""
_AGAIN = timedelta(hours=24)


def reason(engine: Engine, settings: Settings) -> str | None:
    """Return why the live version is to be fine-tuned now; None if it is not, or if no version is live."""
    return schedule.reason(engine, models.RECOMMEND, rule(settings), _new_events)


def reason_for_first(engine: Engine, settings: Settings, *, now: datetime | None = None) -> str | None:
    """Return why the first model is to be trained now; None if one is live, or there is too little to judge it by.

    Where a model was refused, or the training failed again and again, it is tried once a day.
    """
    now = datetime.now(UTC) if now is None else now
    if not settings.first_training_shoppers:
        return None
    with engine.connect() as connection:
        made = models.versions(connection, models.RECOMMEND)
        if models.live(connection) is not None or any(row.created_at > now - _AGAIN for row in made):
            return None
        if updates.attempts(connection, models.RECOMMEND, _day(now)) >= schedule.MOST_ATTEMPTS:
            return None
        shoppers = updates.shoppers_with_events(
            connection,
            least=EVENTS_OF_A_SHOPPER,
            received_before=now - _SETTLING,
            without_kinds=due.QUIET_KINDS,
        )
    enough = shoppers >= settings.first_training_shoppers
    return f"{shoppers:,} shoppers with {EVENTS_OF_A_SHOPPER} events and more" if enough else None


@contextmanager
def attempt_at_first(engine: Engine) -> Iterator[None]:
    """Count an attempt to train the first model, before the block, which may kill the process."""
    with engine.begin() as connection:
        updates.note_attempt(connection, models.RECOMMEND, _day(datetime.now(UTC)))
    yield


def rule(settings: Settings) -> Rule:
    """Return the fine-tuning rule from the settings."""
    return Rule("new events", LEAST_EVENTS, settings.finetune_events, settings.finetune_hours)


def _new_events(connection: Connection, found: Lineage) -> int:
    """Return the number of events that neither the live version nor a rejected update of it has learnt from."""
    ends = [row.learnt_through for row in (found.live, *found.tried) if row.learnt_through is not None]
    return updates.new_events(connection, max(ends, default=None), without_kinds=due.QUIET_KINDS)


def _day(now: datetime) -> str:
    """Return what attempts at a first model are counted under: there is no version yet."""
    return f"first-{now:%Y-%m-%d}"
