"""The tasks of dynamic pricing."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from reshelf import tasks
from workers.runtime import bootstrap
from workers.runtime.bootstrap import Services


@shared_task(name=tasks.PROPOSE_PRICES, ignore_result=False, acks_late=False)
def propose() -> dict[str, Any]:
    """Look at all prices and propose better ones; return how many, or why none."""
    return _proposed(bootstrap.services())


@shared_task(name=tasks.WATCH_PRICES, ignore_result=False, acks_late=False)
def watch() -> dict[str, Any]:
    """Look at all prices before it is time, if what they depend on has moved; return how many, and what moved."""
    from workers.pricing import watching

    services = bootstrap.services()
    moved = watching.moved(services.engine)
    return {"proposals": 0, "reason": "nothing moved"} if not moved else _proposed(services) | {"moved": moved}


@shared_task(name=tasks.APPLY_PRICES)
def apply() -> None:
    """Apply what is approved, and tell the shop."""
    from workers.pricing import applying, telling

    services = bootstrap.services()
    applying.apply_approved(services.engine, services.settings)
    telling.tell(services.engine, services.settings)


def _proposed(services: Services) -> dict[str, Any]:
    from workers.pricing import proposing  # imports JAX
    from workers.registry.errors import NotEnoughData
    from workers.runtime import device

    device.prepare(services.settings.home)
    try:
        return {"proposals": proposing.propose(services.engine, services.settings)}
    except NotEnoughData as error:
        return {"proposals": 0, "reason": str(error)}
