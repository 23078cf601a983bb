"""Working through what is due: claim, work, and keep one row's failure from the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Engine

from storage import due
from storage.due import Claim
from workers.runtime import metrics
from workers.settings import Settings

log = logging.getLogger(__name__)

# How long one task goes on claiming, in seconds, before the tasks behind it (a new item, say) get their turn.
_BUDGET = 0.1
_LEAST_SHARE = 0.01
# What just happened waits for a rest to end.
_LONGEST_REST = 1.0

Work = Callable[[Sequence[Claim]], None]


def drain(
    engine: Engine,
    kind: str,
    work: Work,
    settings: Settings,
    *,
    later: bool = True,
    most: int | None = None,
    most_later: int | None = None,
) -> bool:
    """Claim and work until nothing of `kind` is free; False where the time ran out first, or a batch failed.

    Without `later`, rows that are due for another model's sake alone are left. `most` rows make a batch; by default
    as many as the settings say. Those that can wait come last, `most_later` to a batch.

    A batch that raises is released, and each of its rows is tried again alone until its attempts are used up: once
    nothing else is free, or where more came than the time was enough for. After a batch of which nothing but the model
    changed the worker rests: the gateway and the database need the cores too.
    """
    until = time.monotonic() + _BUDGET
    with engine.connect() as connection:
        # A claim is one statement, and stands at once.
        connection.execution_options(isolation_level="AUTOCOMMIT")
        while time.monotonic() < until:
            claims = _claim(connection, kind, settings, later, most or settings.refresh_batch, most_later)
            if not claims:
                return True
            if not _work_on(engine, kind, work, claims, settings):
                return False
        tried = _claim_tried(connection, kind, settings, later)
    if tried:
        _work_on(engine, kind, work, tried, settings)
    return False


def _work_on(engine: Engine, kind: str, work: Work, claims: Sequence[Claim], settings: Settings) -> bool:
    """Work on the claims, and rest where they could wait. False: the work failed, and they are given back."""
    began = time.monotonic()
    try:
        work(claims)
    except Exception:  # noqa: BLE001  whatever one row does to the work, the other rows go on
        log.exception("refresh of %d %s rows failed", len(claims), kind)
        metrics.FAILED.labels(kind).inc()
        with engine.begin() as other:  # what the work failed of may have cut the connection that claimed them
            due.release(other, kind, claims)
        return False
    metrics.REFRESHED.labels(kind).inc(len(claims))
    if all(claim.later for claim in claims):
        time.sleep(rest(time.monotonic() - began, settings.background_share))
    return True


def rest(worked: float, share: float) -> float:
    """Return for how many seconds to rest after `worked` seconds, so that work takes this share of the time."""
    return min(worked * (1 / min(max(share, _LEAST_SHARE), 1) - 1), _LONGEST_REST)


def _claim(
    connection: Connection, kind: str, settings: Settings, later: bool, most: int, most_later: int | None
) -> list[Claim]:
    """Claim a batch of rows never tried, else one that was."""
    claims = due.claim(connection, kind, limit=most, lease=settings.lease, later=later and most_later is None)
    if not claims and later and most_later is not None:
        claims = due.claim(connection, kind, limit=most_later, lease=settings.lease)
    return claims or _claim_tried(connection, kind, settings, later)


def _claim_tried(connection: Connection, kind: str, settings: Settings, later: bool) -> list[Claim]:
    """Claim one row that was tried before, whatever else is due."""
    attempts = settings.max_attempts
    return due.claim_retry(connection, kind, lease=settings.lease, max_attempts=attempts, later=later)
