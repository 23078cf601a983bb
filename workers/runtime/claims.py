"""Working through what is due: claim, work, and keep one row's failure from the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Engine

from storage import due
from storage.due import Claim
from workers.runtime import metrics
from workers.settings import Settings

log = logging.getLogger(__name__)

SECONDS = 0.1
"""How long one task goes on claiming, before the tasks behind it (a new item, say) get their turn."""

_LEAST_SHARE = 0.01
# What just happened waits for a rest to end.
_LONGEST_REST = 1.0

Work = Callable[[Sequence[Claim]], object]


def drain(
    engine: Engine,
    kind: str,
    work: Work,
    settings: Settings,
    *,
    later: bool | None = None,
    most: int | None = None,
    rest: float = 0.0,
    retry: bool = True,
    seconds: float = SECONDS,
) -> bool:
    """Claim and work until nothing of `kind` is free; False where `seconds` ran out first, or a batch failed.

    Of what can wait (`later`) alone, or of all else; by default of both. `most` rows make a batch, by default as many
    as the settings say; `rest` is how many seconds a row must have been due.

    A batch that raises is released, and each of its rows is tried again alone until its attempts are used up: once
    nothing else is free, or where more came than the time was enough for; not at all without `retry`. After a batch
    that could wait the worker rests: the gateway and the database need the cores too.
    """
    until = time.monotonic() + seconds
    most = most or settings.refresh_batch
    while time.monotonic() < until:
        claims = _claim(engine, kind, limit=most, lease=settings.lease, later=later, rest=rest)
        claims = claims or (_claim_tried(engine, kind, settings, later) if retry else [])
        if not claims:
            return True
        if not _work_on(engine, kind, work, claims, settings):
            return False
        if len(claims) < most and not retry:
            return True
    tried = _claim_tried(engine, kind, settings, later) if retry else []
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
    if all(claim.later for claim in claims) or kind == due.REASON:
        time.sleep(rest(time.monotonic() - began, settings.background_share))
    return True


def rest(worked: float, share: float) -> float:
    """Return for how many seconds to rest after `worked` seconds, so that work takes this share of the time."""
    return min(worked * (1 / min(max(share, _LEAST_SHARE), 1) - 1), _LONGEST_REST)


def _claim(engine: Engine, kind: str, **options: Any) -> list[Claim]:
    """Claim a batch of rows never tried before. A claim is one statement, and stands at once."""
    with engine.connect() as connection:
        return due.claim(connection.execution_options(isolation_level="AUTOCOMMIT"), kind, **options)


def _claim_tried(engine: Engine, kind: str, settings: Settings, later: bool | None) -> list[Claim]:
    """Claim one row that was tried before, whatever else is due."""
    lease, most = settings.lease, settings.max_attempts
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        return due.claim_retry(connection, kind, lease=lease, max_attempts=most, later=later)
