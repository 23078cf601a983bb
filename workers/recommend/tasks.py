"""The refresh tasks: rung, never told anything."""

from __future__ import annotations

import time
from functools import partial

from celery import shared_task

from storage import due
from workers.contract import tasks
from workers.runtime import bootstrap, claims
from workers.runtime.bootstrap import Services

# Thirty-two at once hold a core for a quarter of a second, and a gateway beside them falls behind; these fill a tile.
_SHOPPERS_LATER = 8


@shared_task(name=tasks.REFRESH_SHOPPERS)
def refresh_shoppers() -> None:
    """Bring the shelves of due shoppers up to date."""
    services = bootstrap.services()
    time.sleep(services.settings.refresh_pause_ms / 1000)  # events that come now share the batch
    _refresh(services, due.SHOPPER)


@shared_task(name=tasks.REFRESH_ITEMS)
def refresh_items() -> None:
    """Bring vectors and similar shelves of due items up to date."""
    _refresh(bootstrap.services(), due.ITEM)


def _refresh(services: Services, kind: str) -> None:
    from workers.recommend import refresh, versions  # imports JAX

    services.bell.answer(kind)
    if not versions.follow(services.engine, services.serving):
        return
    batch = {due.SHOPPER: refresh.shoppers, due.ITEM: refresh.items}[kind]
    work = partial(batch, services.engine, services.serving, services.settings)
    # What is due for the new model's sake waits for it; what happened does not.
    later = services.serving.is_current
    most_later = _SHOPPERS_LATER if kind == due.SHOPPER else None
    if not claims.drain(services.engine, kind, work, services.settings, later=later, most_later=most_later):
        services.bell.ring(kind)
