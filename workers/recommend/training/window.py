"""The window of events on which the live version is measured. Reads only the tables, without JAX."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from storage.registry import drift, models
from storage.registry.drift import Window
from workers.settings import Settings


class NothingToMeasure(RuntimeError):
    """No version is live, it is not known what it has learnt, or there is nothing new to measure; says which."""


class Choice(NamedTuple):
    """The version to measure, and the window."""

    live: Row[Any]
    window: Window


def choose(connection: Connection, settings: Settings) -> Choice:
    """Return the live version and the last hours of events that it has not learnt from.

    Time is measured from the newest event, so that old data can be replayed. Raises `NothingToMeasure`.
    """
    if not settings.drift_window_hours:
        raise NothingToMeasure("RESHELF_DRIFT_WINDOW_HOURS is 0: drift is not measured")
    live = models.live(connection)
    if live is None:
        raise NothingToMeasure("no version serves yet: run `reshelf train` first")
    until = drift.newest_event(connection)
    if until is None:
        raise NothingToMeasure("there are no events")
    if live.learnt_through is None:
        raise NothingToMeasure(f"nobody noted up to when {live.version} has learnt: train a new one to measure it")
    since = max(until - timedelta(hours=settings.drift_window_hours), live.learnt_through)
    if since >= until:
        raise NothingToMeasure(f"{live.version} has learnt all that happened up to {live.learnt_through}")
    last = drift.latest(connection)
    if last is not None and last.window_end == until:
        raise NothingToMeasure(f"nothing happened since {live.version} was measured at {last.measured_at}")
    return Choice(live, Window(since, until))
