"""Experiments in the gateway: the running one, followed in the background, and reports, cached for some seconds."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import msgspec
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from api_gateway import database
from api_gateway.background import periodic
from api_gateway.database import Pool
from api_gateway.http.errors import NotFound
from api_gateway.lists import fallback
from api_gateway.lists.fallback import Trait
from storage.experiment import experiments
from storage.experiment.experiments import Arm, Experiment
from storage.recommend.shelves import Step
from workers.experiment import assignment, report
from workers.experiment.report import Report

log = logging.getLogger(__name__)

FOLLOWED_EVERY = 1.0
REPORT_KEPT = 10.0
"""Seconds for which a report is cached: computing one reads every event since the start."""


class Placed(msgspec.Struct, frozen=True):
    """The experiment and the arm that an answer belongs to; None outside of an experiment."""

    experiment: str | None = None
    arm: str | None = None


OUTSIDE = Placed()


class Following:
    """The running experiment, at most a second old, so that no request has to read it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._running: Experiment | None = None

    @asynccontextmanager
    async def kept_up(self) -> AsyncIterator[None]:
        """Follow it during the block."""
        await self._look()
        async with periodic.running(self._look, every=FOLLOWED_EVERY):
            yield

    def arm_of(self, shopper: str) -> tuple[Placed, Arm | None]:
        """Return the experiment and arm of the shopper, and the arm's definition."""
        if self._running is None:
            return OUTSIDE, None
        arm = assignment.arm_of(self._running, shopper)
        return Placed(self._running.name, arm.name), arm

    async def _look(self) -> None:
        """Read the running experiment. If the database does not answer, the last one stays."""
        try:
            row = await database.read(self._pool, lambda connection: connection.fetchrow(experiments.RUNNING))
            self._running = None if row is None else experiments.from_row(tuple(row))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.debug("the database does not say which experiment runs: %s", error)
        except Exception:  # noqa: BLE001  whatever is in that row: shelves are served, and it is read again soon
            log.exception("the running experiment cannot be read")


class Reports:
    """Reports, each computed once in `REPORT_KEPT` seconds, and one at a time."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._one = asyncio.Lock()
        self._kept: dict[str, tuple[float, Report]] = {}

    async def read(self, name: str) -> Report:
        """Return the report. Raises `errors.NotFound`, and database errors."""
        async with self._one:
            now = time.monotonic()
            self._kept = {key: kept for key, kept in self._kept.items() if now - kept[0] < REPORT_KEPT}
            if name not in self._kept:
                async with self._engine.connect() as connection:
                    self._kept[name] = (now, await connection.run_sync(partial(_report, name=name)))
            return self._kept[name][1]


def chain_of(
    arm: Arm | None, user_id: str | None, session_id: str | None, traits: list[Trait], category: str | None
) -> list[Step]:
    """Return the fallback chain of a shopper in this arm: that of the popular shelf for the treatment `popular`."""
    if arm is not None and arm.treatment == experiments.POPULAR:
        return fallback.for_popular(category)
    return fallback.for_shopper(user_id, session_id, traits, category)


def _report(connection: Connection, name: str) -> Report:
    experiment = experiments.named(connection, name)
    if experiment is None:
        raise NotFound(
            f"there is no experiment {name!r}", field="name", fix="GET /v1/experiments lists the experiments"
        )
    return report.build(experiment, experiments.outcomes(connection, experiment))
