"""The refresh tasks. They are wake-ups and carry no data.

Two processes run them, each with the model: one for what shoppers wait for, the other for background work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from celery import shared_task

from reshelf import tasks
from storage import due
from workers.recommend import parts
from workers.recommend.pace import Pace
from workers.runtime import bootstrap, claims
from workers.runtime.bootstrap import Services

# How long one task looks for what is due, in seconds: this bounds the number of tasks, however many events come.
_TURN = 0.5
# How long two threads work on shoppers when one is not enough; then they stop, to follow the catalogue.
_TOGETHER = 0.25
# A batch of thirty-two would hold a core for too long when the gateway needs it.
_AT_ONCE_LATER = 8

_following = Pace(every=0.25)
_following_behind = Pace(every=1.0)
# Due items are looked for less often than due shoppers.
_items = Pace(every=0.1)
_second = ThreadPoolExecutor(1, "refresh")
# Set while more shoppers are due than fit into one batch.
_behind = threading.Event()


@shared_task(name=tasks.REFRESH_SHOPPERS)
def refresh_shoppers() -> None:
    """Refresh the shelves of shoppers with new events."""
    _refresh_now(bootstrap.services())


@shared_task(name=tasks.REFRESH_ITEMS)
def refresh_items() -> None:
    """Refresh the vectors and similar shelves of changed items."""
    _refresh_now(bootstrap.services())


@shared_task(name=tasks.REFRESH_LATER)
def refresh_later() -> None:
    """Refresh what is due only because of another model, and the neighbours of new items."""
    from workers.recommend import refresh, versions  # imports JAX

    services = bootstrap.services()
    serving = services.part(parts.background)
    services.bell.answer(due.LATER)
    # Rows for the live version wait until it is loaded; loading rings again.
    if not serving.is_current and not versions.follow(services.nondurable, serving):
        return
    if not _following_behind.keep(lambda: versions.follow(services.nondurable, serving)) or not serving.is_current:
        return
    shoppers = partial(refresh.shoppers, explain=services.settings.explained > 0)
    work: dict[str, Callable[..., object]] = {due.ITEM: refresh.items, due.SHOPPER: shoppers}
    done = [
        claims.drain(
            services.nondurable,
            kind,
            partial(batch, services.nondurable, serving, services.settings),
            services.settings,
            later=True,
            most=_AT_ONCE_LATER,
        )
        for kind, batch in work.items()
    ]
    if not all(done):
        services.bell.ring(due.LATER)


@shared_task(name=tasks.EXPLAIN)
def explain() -> None:
    """Write the reasons of shelves that have stood for a while."""
    from workers.recommend import reasons, versions  # imports JAX

    services = bootstrap.services()
    services.bell.answer(due.REASON)
    if not _following_behind.keep(lambda: versions.follow(services.nondurable, services.part(parts.background))):
        return
    work = partial(reasons.explain, services.nondurable, services.part(parts.background), services.settings)
    rest = reasons.PAUSE_SECONDS
    if not claims.drain(services.nondurable, due.REASON, work, services.settings, most=_AT_ONCE_LATER, rest=rest):
        services.bell.ring(due.REASON)


def _refresh_now(services: Services) -> None:
    """Process what is due for a while, as it comes; answer the doorbell at the end, so that nobody rings meanwhile."""
    from workers.recommend import versions  # imports JAX

    until = time.monotonic() + _TURN
    while time.monotonic() < until:
        if not _behind.is_set():
            time.sleep(services.settings.refresh_pause_ms / 1000)  # events that come now share the batch
        if not _following.keep(lambda: versions.follow(services.nondurable, services.part(parts.serving))):
            services.bell.answer(due.ITEM, due.SHOPPER)
            return
        _items.keep(lambda: _drain(services, due.ITEM, retry=False))
        _drain_shoppers(services)
    services.bell.answer(due.ITEM, due.SHOPPER)
    # Even if more shoppers wait, one row that failed before gets its turn.
    seconds = {due.ITEM: claims.SECONDS, due.SHOPPER: 0.0 if _behind.is_set() else claims.SECONDS}
    services.bell.ring(*(kind for kind in seconds if not _drain(services, kind, retry=True, seconds=seconds[kind])))


def _drain_shoppers(services: Services) -> None:
    """Process the shoppers who are due now, on two threads if one is not enough."""
    if not _behind.is_set():
        done = _drain(services, due.SHOPPER, retry=False)
    else:
        drain = partial(_drain, services, due.SHOPPER, retry=False, seconds=_TOGETHER)
        beside = _second.submit(drain)
        done = drain()
        done = beside.result() and done
    if done:
        _behind.clear()
    else:
        _behind.set()


def _drain(services: Services, kind: str, *, retry: bool, seconds: float = claims.SECONDS) -> bool:
    """Process what is due now of a kind; False if there is more."""
    from workers.recommend import refresh  # imports JAX

    def items(taken: Sequence[due.Claim]) -> None:
        if refresh.items(services.nondurable, services.part(parts.serving), services.settings, taken):
            services.bell.ring(due.LATER)

    shoppers = partial(refresh.shoppers, services.nondurable, services.part(parts.serving), services.settings)
    work = items if kind == due.ITEM else shoppers
    return claims.drain(services.nondurable, kind, work, services.settings, later=False, retry=retry, seconds=seconds)
