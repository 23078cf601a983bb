"""When the live version of a capability is updated. Reads only the tables, since it is called every minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row

from storage.registry import models, updates

MOST_ATTEMPTS = 5
"""An update that was killed or failed this often is not tried again automatically."""


@dataclass(frozen=True)
class Rule:
    """Update at once with `enough` new things, or after `hours` with at least `least` of them.

    `enough` or `hours` of 0 turn that half of the rule off. `things` says what is counted.
    """

    things: str
    least: int
    enough: int
    hours: float


@dataclass(frozen=True)
class Waiting:
    """What the live version has not learnt: how many things, since how many hours; and how many attempts failed."""

    count: int
    hours: float
    attempts: int = 0


@dataclass(frozen=True)
class Lineage:
    """The live version, and the versions made from it that are not live."""

    live: Row[Any]
    tried: list[Row[Any]]

    @property
    def created_at(self) -> datetime:
        """When the newest of them was made."""
        moments: list[datetime] = [row.created_at for row in (self.live, *self.tried)]
        return max(moments)


def reason(engine: Engine, capability: str, rule: Rule, count: Callable[[Connection, Lineage], int]) -> str | None:
    """Return why the live version is to be updated now; None if it is not, or if no version is live.

    `count` returns how many new things there are that no version of the lineage has learnt from.
    """
    with engine.connect() as connection:
        live = models.live(connection, capability)
        if live is None:
            return None
        tried = [row for row in models.versions(connection, capability) if row.parent == live.version]
        found = Lineage(live, tried)
        hours = (datetime.now(UTC) - found.created_at).total_seconds() / 3600
        waiting = Waiting(count(connection, found), hours, updates.attempts(connection, capability, live.version))
    return decide(waiting, rule)


@contextmanager
def attempt(engine: Engine, live: Row[Any]) -> Iterator[None]:
    """Count an attempt to update the live version, before the block, which may kill the process.

    If the block ends without an error, there was a result, and the count is reset.
    """
    with engine.begin() as connection:
        updates.note_attempt(connection, live.capability, live.version)
    yield
    with engine.begin() as connection:
        updates.forget_attempts(connection, live.capability)


def decide(waiting: Waiting, rule: Rule) -> str | None:
    """Return why to update now, None for not yet. Pure."""
    if waiting.count < rule.least or waiting.attempts >= MOST_ATTEMPTS:
        return None
    told = f"{waiting.count:,} {rule.things}"
    if rule.enough and waiting.count >= rule.enough:
        return told
    if rule.hours and waiting.hours >= rule.hours:
        return f"{told} in {waiting.hours:.1f} hours"
    return None
