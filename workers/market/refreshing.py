"""Refreshing: one run of the analysis becomes one version, or a failed one that says why."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import Engine

from storage.market import results, versions
from storage.market.versions import Runs
from workers.registry.errors import NotEnoughData
from workers.settings import Settings

log = logging.getLogger(__name__)

_LONGEST_ERROR = 500


def not_due(engine: Engine, settings: Settings) -> str | None:
    """Return why nothing is to be done now, None if something is."""
    with engine.connect() as connection:
        is_due = versions.is_due(connection, settings.market_hours)
    return None if is_due else "it is not time yet, or nothing was bought since"


def answer(engine: Engine) -> dict[str, Any]:
    """Refresh, and return the version and its counts, or the reason why there is none."""
    try:
        version = refresh(engine)
    except (Runs, NotEnoughData) as error:
        log.warning("the market is not analysed: %s", error)
        return {"version": None, "reason": str(error)}
    with engine.connect() as connection:
        return {"version": version, "rows": results.counts(connection, version)}


def refresh(engine: Engine, *, seed: int = 0) -> int:
    """Analyse what the tables hold, and return the new version, which readers take from now on.

    Raises `Runs` if another process does, `NotEnoughData` if nothing was ever bought.
    """
    with versions.exclusive(engine):
        with engine.begin() as connection:
            version = versions.begin(connection)
        try:
            _run(engine, version, seed)
        except BaseException as error:
            _failed(engine, version, error)
            raise
    return version


def _run(engine: Engine, version: int, seed: int) -> None:
    from workers.market import analysis, database  # imports JAX and Polars

    data = database.read(engine)
    found = analysis.results(data, seed=seed)
    with engine.begin() as connection:
        results.write(connection, version, found.rows)
        versions.finish(connection, version, through=data.through, currency=data.currency, notes=found.notes)


def _failed(engine: Engine, version: int, error: BaseException) -> None:
    why = f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]
    with engine.begin() as connection:
        versions.fail(connection, version, why)
        versions.retire(connection)
