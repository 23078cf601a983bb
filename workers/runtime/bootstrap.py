"""The composition root: builds, once per process and on first use, what the tasks need."""

from __future__ import annotations

import os
import socket
from functools import cache, cached_property
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from storage import due, engine
from workers import settings as configuration
from workers.contract import tasks
from workers.contract.doorbell import Doorbell
from workers.experiment.watch import Watch
from workers.intake.group_commit import GroupCommit
from workers.intake.inbox import Inbox
from workers.runtime import device, metrics
from workers.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workers.intake.reader import Reader
if TYPE_CHECKING:  # JAX is imported by the process that owns the device, on first use
    from workers.fraud.serving import Serving as Screening
    from workers.recommend.serving import Serving
    from workers.search.serving import Serving as Searching
    from workers.search.tastes import Vectors


class Services:
    """What one worker process works with. Every part is built when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def engine(self) -> Engine:
        """The database."""
        return engine.connect(required(self.settings.database_url, "RESHELF_DATABASE_URL"))

    @cached_property
    def bell(self) -> Doorbell:
        """The doorbell."""
        return Doorbell(required(self.settings.broker_url, "RESHELF_BROKER_URL"))

    def reader(self, routes: Mapping[str, str]) -> Reader:
        """The reader of data messages, which commits what several of them bring as one transaction."""
        from workers.intake.reader import Reader

        metrics.serve(self.settings.metrics_port)
        name = f"{socket.gethostname()}:{os.getpid()}"
        inbox = Inbox(required(self.settings.broker_url, "RESHELF_BROKER_URL"), tasks.INTAKE_QUEUE, reader=name)
        commit = GroupCommit(self.engine, self.bell, writer=name)
        return Reader(inbox, commit, search=self.settings.search, routes=routes)

    @cached_property
    def watch(self) -> Watch:
        """The watch over a canary."""
        return Watch(self.engine, self.bell)

    @cached_property
    def serving(self) -> Serving:
        """The live model with the catalogue on the device, once there is a model."""
        from workers.recommend.serving import Serving  # imports JAX

        device.prepare(self.settings.home)
        metrics.serve(self.settings.metrics_port + 1)
        # Whoever has nothing else to do swaps to it.
        return Serving(self.engine, self.settings.home, ready=lambda: self.bell.ring(due.SHOPPER))

    @cached_property
    def background(self) -> Serving:
        """The same in the process that works on what can wait."""
        from workers.recommend.serving import Serving  # imports JAX

        device.prepare(self.settings.home)
        metrics.serve(self.settings.metrics_port + 4)
        return Serving(self.engine, self.settings.home, ready=lambda: self.bell.ring(due.LATER))

    @cached_property
    def screening(self) -> Screening:
        """The live detector and the active rules."""
        from workers.fraud.serving import Serving as Screening  # imports JAX

        device.prepare(self.settings.home)
        metrics.serve(self.settings.metrics_port + 3)
        return Screening(self.engine, self.settings)

    @cached_property
    def hasty(self) -> Engine:
        """The database for what may be lost with the server's last instant: a commit does not wait for the disk.

        A shelf that is lost so is due again: its mark was to be cleared by the same commit.
        """
        return engine.connect(required(self.settings.database_url, "RESHELF_DATABASE_URL"), durable=False)

    @cached_property
    def search(self) -> Searching:
        """The catalogue in memory, to be searched."""
        from workers.search import synonyms  # these import JAX
        from workers.search.serving import Serving as Searching

        device.prepare(self.settings.home)
        metrics.serve(self.settings.metrics_port + 2)
        return Searching(
            self.hasty,
            self.settings.home,
            synonyms=synonyms.read(self.settings.search_synonyms),
            ready=lambda: self.bell.ring(due.CATALOGUE),
        )

    @cached_property
    def tastes(self) -> Vectors:
        """The recommender's vectors, for the order that a shopper would like."""
        from workers.search.tastes import Vectors

        return Vectors()


@cache
def services() -> Services:
    """Return this process's services."""
    return Services(configuration.load())


def required(value: str | None, variable: str) -> str:
    """Return the value, or raise `SettingsError` saying how to give it."""
    if value is None:
        raise SettingsError(f"{variable} is not set: start the embedded servers with `reshelf up`, or set it")
    return value
