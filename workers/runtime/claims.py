"""Process what is due: claim, work, and keep one row's failure from affecting the others."""

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
"""How long one task continues to claim, before the tasks behind it (for a new item, say) get their turn."""

_LEAST_SHARE = 0.01
# New events have to wait for the end of a rest.
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
    """Claim and work until nothing of `kind` is free; False if `seconds` ran out first, or a batch failed.

    `later` selects only the rows marked `later`, or only the others; by default both. A batch has `most` rows, by
    default as many as the settings say; `rest` is how many seconds a row must have been due.

    A batch that raises is released, and each of its rows is tried again on its own until its attempts are used up: once
    nothing else is free, or when the time was not enough for everything; not at all without `retry`. After a batch of
    `later` rows the worker rests: the gateway and the database need the cores too.
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
    """Process the claims, and rest if they were due `later`. False: the work failed, and they are released."""
    began = time.monotonic()
    try:
        work(claims)
    except Exception:  # noqa: BLE001  one bad row must not stop the others
        log.exception("refresh of %d %s rows failed", len(claims), kind)
        metrics.FAILED.labels(kind).inc()
        with engine.begin() as other:  # the failure may have broken the connection that claimed them
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
    """Claim a batch of untried rows. A claim is one statement, and is committed at once."""
    with engine.connect() as connection:
        return due.claim(connection.execution_options(isolation_level="AUTOCOMMIT"), kind, **options)


def _claim_tried(engine: Engine, kind: str, settings: Settings, later: bool | None) -> list[Claim]:
    """Claim one row that was tried before, whatever else is due."""
    lease, most = settings.lease, settings.max_attempts
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        return due.claim_retry(connection, kind, lease=lease, max_attempts=most, later=later)
