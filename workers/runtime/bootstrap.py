"""What every worker process shares: built once per process and on first use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import TypeVar, cast

from sqlalchemy import Engine

from storage import engine
from workers import settings as configuration
from workers.capability import Ring
from workers.doorbell import Doorbell
from workers.settings import Settings, SettingsError

Part = TypeVar("Part")


class Services:
    """What one worker process works with. Every part is built when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._parts: dict[Callable[[Services], object], object] = {}
        self._making = threading.RLock()

    @cached_property
    def engine(self) -> Engine:
        """The database."""
        return engine.connect(required(self.settings.database_url, "RESHELF_DATABASE_URL"))

    @cached_property
    def bell(self) -> Doorbell:
        """The doorbell."""
        return Doorbell(required(self.settings.broker_url, "RESHELF_BROKER_URL"), _rings)

    @cached_property
    def hasty(self) -> Engine:
        """The database for what may be lost with the server's last instant: a commit does not wait for the disk.

        A shelf that is lost so is due again: its mark was to be cleared by the same commit.
        """
        return engine.connect(required(self.settings.database_url, "RESHELF_DATABASE_URL"), durable=False)

    def part(self, make: Callable[[Services], Part]) -> Part:
        """Return what `make` builds of these, the same each time: what a capability adds of its own."""
        with self._making:
            if make not in self._parts:
                self._parts[make] = make(self)
            return cast(Part, self._parts[make])


_rings: dict[str, Ring] = {}


def declare(rings: Mapping[str, Ring]) -> None:
    """Say what is sent for each due kind: whoever knows all capabilities does so before any service is used."""
    _rings.update(rings)


@cache
def services() -> Services:
    """Return this process's services."""
    return Services(configuration.load())


def required(value: str | None, variable: str) -> str:
    """Return the value, or raise `SettingsError` saying how to give it."""
    if value is None:
        raise SettingsError(f"{variable} is not set: start the embedded servers with `reshelf up`, or set it")
    return value
