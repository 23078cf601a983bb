"""Watching between looks: what prices depend on may move before it is time for the next one."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from storage.pricing import moves

LEAST = timedelta(hours=1)
"""Between two looks: each fits a model, and the demand of a few minutes says little."""


def moved(engine: Engine) -> dict[str, int]:
    """Return of how many items what has moved since the last look; nothing if that was less than `LEAST` ago.

    Before the first look there is nothing to compare with.
    """
    with engine.connect() as connection:
        last = moves.last_look(connection)
        if last is None or last.age < LEAST:
            return {}
        return {name: count for name, count in moves.since(connection, last.at).items() if count}
