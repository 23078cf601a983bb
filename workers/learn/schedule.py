"""When the live version learns on: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_EVENTS = 100
"""Fewer new events than this teach nothing that their counted transitions do not."""
MOST_ATTEMPTS = 5
"""An update that was killed, or failed, so often is left to people."""


@dataclass(frozen=True)
class Waiting:
    """What the live version does not know yet: how many events, for how many hours, and how often it was tried."""

    events: int
    hours: float
    attempts: int = 0


def reason(waiting: Waiting, *, events: int, hours: float) -> str | None:
    """Return why to fine-tune now, None for not yet. `events` or `hours` of 0 turn that half of the rule off."""
    if waiting.events < LEAST_EVENTS or waiting.attempts >= MOST_ATTEMPTS:
        return None
    if events and waiting.events >= events:
        return f"{waiting.events:,} new events"
    if hours and waiting.hours >= hours:
        return f"{waiting.events:,} new events in {waiting.hours:.1f} hours"
    return None
