"""Erasing: delete everything that is stored of the people whose erasure runs.

From the commit of the receipt on, the doors drop what comes of them. A pass waits until every transaction has ended
that may not have known, and deletes table by table, each with its counts in one transaction. When a pass finds nothing
more, the erasure is done. A process that is killed leaves the receipt open, and the next one begins with another pass.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, Engine

from model.recommend import config as configs
from model.recommend.transitions import WINDOW
from storage import locks
from storage.fraud import orders
from storage.privacy import barrier, behaviour, receipts, stores
from storage.privacy.behaviour import Counting
from storage.privacy.names import Names, Secret
from storage.registry import models
from storage.registry.models import Live
from workers.privacy import letters, secret
from workers.settings import Settings

log = logging.getLogger(__name__)

_MOST_PASSES = 10
_BARRIER_SECONDS = 20.0
_LOCK = "erasing"

Step = Callable[[Connection, Names], Mapping[str, int]]


def work(engine: Engine, settings: Settings) -> bool:
    """Erase everybody whose erasure runs, unless another process does; return whether none is left."""
    with locks.tried(engine, _LOCK) as is_held:
        if not is_held:
            return False
        with engine.connect() as connection:
            running = receipts.running(connection)
        return not running or _erase(engine, secret.load(settings), running)


def _erase(engine: Engine, known: Secret, running: Sequence[str]) -> bool:
    for _ in range(_MOST_PASSES):
        found = {receipt: again for receipt in running if (again := _names(engine, known, receipt)) is not None}
        if not found:
            return True
        if not barrier.wait(engine, most=_BARRIER_SECONDS):
            log.warning("erasures wait for transactions that have run for %.0f s", _BARRIER_SECONDS)
            return False
        for receipt, (names, grew) in found.items():
            if not _pass(engine, receipt, names) and not grew:
                with engine.begin() as connection:
                    receipts.finish(connection, receipt)
                log.info("%s is done", receipt)
    return False


def _names(engine: Engine, known: Secret, receipt: str) -> tuple[Names, bool] | None:
    with engine.begin() as connection:
        return receipts.look_again(connection, known, receipt)


def _pass(engine: Engine, receipt: str, names: Names) -> int:
    """Delete what there is of a person, in steps that each commit; return how many rows that were."""
    deleted = 0
    for step in STEPS:
        with engine.begin() as connection:
            counts = {table: count for table, count in step(connection, names).items() if count}
            if counts:
                receipts.count(connection, receipt, counts)
        deleted += sum(counts.values())
    return deleted


def _behaviour(connection: Connection, names: Names) -> Mapping[str, int]:
    if not behaviour.has_any(connection, names):
        return {}
    counted = behaviour.delete(connection, names, _counting(connection))
    behaviour.count_again(connection)
    return counted


def _counting(connection: Connection) -> Counting | None:
    """Return what the live version has counted, and let nobody count until the transaction ends."""
    models.locked(connection)
    live = models.live(connection)
    if live is None:
        return None
    gains = configs.gains(configs.from_json(live.config))
    return Counting(Live(live.version, live.switched_at, live.learnt_through), gains, WINDOW)


def _shelves(connection: Connection, names: Names) -> Mapping[str, int]:
    return stores.delete(connection, stores.SHELVES, names)


def _orders(connection: Connection, names: Names) -> Mapping[str, int]:
    if not names.orders:
        return {}
    orders.lock(connection)  # no screening of them is under way
    return stores.delete(connection, stores.ORDERS, names)


def _letters(connection: Connection, names: Names) -> Mapping[str, int]:
    return {stores.LETTERS: letters.delete(connection, names)}


STEPS: tuple[Step, ...] = (_behaviour, _shelves, _orders, _letters)
