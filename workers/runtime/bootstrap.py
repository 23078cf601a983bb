"""The services that every worker process has: built once per process, on first use."""

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
    """The services of one worker process. Each is built on first use."""

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
    def nondurable(self) -> Engine:
        """The database, for writes that may be lost in a crash of the server: a commit does not wait for the disk.

        A shelf that is lost this way is due again, since its mark was to be deleted by the same commit.
        """
        return engine.connect(required(self.settings.database_url, "RESHELF_DATABASE_URL"), durable=False)

    def part(self, make: Callable[[Services], Part]) -> Part:
        """Return the object that `make` builds from these services, once: a capability's own addition."""
        with self._making:
            if make not in self._parts:
                self._parts[make] = make(self)
            return cast(Part, self._parts[make])


_rings: dict[str, Ring] = {}


def declare(rings: Mapping[str, Ring]) -> None:
    """Set what is sent for each due kind; called once, before a service is used, where all capabilities are known."""
    _rings.update(rings)


@cache
def services() -> Services:
    """Return this process's services."""
    return Services(configuration.load())


def required(value: str | None, variable: str) -> str:
    """Return the value, or raise `SettingsError` saying how to set it."""
    if value is None:
        raise SettingsError(f"{variable} is not set: start the embedded servers with `reshelf up`, or set it")
    return value
