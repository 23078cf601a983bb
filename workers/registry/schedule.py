"""When the live version of a capability learns on. It looks at the tables alone: every minute, mostly for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row

from storage.registry import attempts, models

MOST_ATTEMPTS = 5
"""An update that was killed, or failed, so often is left to people."""


@dataclass(frozen=True)
class Rule:
    """With fewer than `least` new ones nothing is learnt; with `enough` of them it is at once, or else after `hours`.

    `enough` or `hours` of 0 turn that half of the rule off. `things` says what is counted.
    """

    things: str
    least: int
    enough: int
    hours: float


@dataclass(frozen=True)
class Waiting:
    """What the live version does not know yet: how many things, for how many hours, and how often it was tried."""

    count: int
    hours: float
    attempts: int = 0


@dataclass(frozen=True)
class Lineage:
    """The live version, and those that were made from it since, and do not serve."""

    live: Row[Any]
    tried: list[Row[Any]]

    @property
    def created_at(self) -> datetime:
        """When the newest of them was made."""
        moments: list[datetime] = [row.created_at for row in (self.live, *self.tried)]
        return max(moments)


def reason(engine: Engine, capability: str, rule: Rule, count: Callable[[Connection, Lineage], int]) -> str | None:
    """Return why the live version is to learn on now; None where it is not, or where none serves.

    `count` says how many new things there are that neither it nor its offspring knows.
    """
    with engine.connect() as connection:
        live = models.live(connection, capability)
        if live is None:
            return None
        tried = [row for row in models.versions(connection, capability) if row.parent == live.version]
        found = Lineage(live, tried)
        hours = (datetime.now(UTC) - found.created_at).total_seconds() / 3600
        waiting = Waiting(count(connection, found), hours, attempts.count(connection, capability, live.version))
    return decide(waiting, rule)


@contextmanager
def attempt(engine: Engine, live: Row[Any]) -> Iterator[None]:
    """Count an attempt to let the live version learn on, before the block, which may kill the process.

    Where the block ends without an error, it had a result, and counting begins anew.
    """
    with engine.begin() as connection:
        attempts.note(connection, live.capability, live.version)
    yield
    with engine.begin() as connection:
        attempts.forget(connection, live.capability)


def decide(waiting: Waiting, rule: Rule) -> str | None:
    """Return why to learn on now, None for not yet. Pure."""
    if waiting.count < rule.least or waiting.attempts >= MOST_ATTEMPTS:
        return None
    told = f"{waiting.count:,} {rule.things}"
    if rule.enough and waiting.count >= rule.enough:
        return told
    if rule.hours and waiting.hours >= rule.hours:
        return f"{told} in {waiting.hours:.1f} hours"
    return None
