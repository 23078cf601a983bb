"""The list of all capabilities; a new one is added here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from workers import capability
from workers.bots.capability import CAPABILITY as BOTS
from workers.capability import Capability, Ring, Worker
from workers.experiment.capability import CAPABILITY as EXPERIMENT
from workers.fraud.capability import CAPABILITY as FRAUD
from workers.intake.capability import CAPABILITY as INTAKE
from workers.market.capability import CAPABILITY as MARKET
from workers.pricing.capability import CAPABILITY as PRICING
from workers.privacy.capability import CAPABILITY as PRIVACY
from workers.recommend.capability import CAPABILITY as RECOMMEND
from workers.search.capability import CAPABILITY as SEARCH
from workers.settings import Settings
from workers.shelves.capability import CAPABILITY as SHELVES
from workers.upkeep.capability import CAPABILITY as UPKEEP

ALL: tuple[Capability, ...] = (
    INTAKE,
    RECOMMEND,
    SHELVES,
    SEARCH,
    FRAUD,
    EXPERIMENT,
    BOTS,
    MARKET,
    PRICING,
    PRIVACY,
    UPKEEP,
)

ROUTES = {name: {"queue": queue} for one in ALL for name, queue in one.queues.items()}
"""The queue of every task, as Celery takes it: exact names come before patterns that match them too."""
QUEUES = tuple(dict.fromkeys(route["queue"] for route in ROUTES.values()))


def queue_of(task: str) -> str | None:
    """Return the queue of one of our tasks by its name, None for any other task."""
    return capability.queue_of(task, ROUTES)


RINGS = {kind: Ring(task, queue_of(task) or "") for one in ALL for kind, task in one.rings.items()}
"""What is sent when something of a kind is due."""


def workers(settings: Settings | None = None) -> Iterator[Worker]:
    """Yield the worker processes in start order; with `settings`, only those that they enable."""
    on = [one for one in ALL if settings is None or one.is_on(settings)]
    for worker in (worker for one in on for worker in one.workers):
        hosted = [queue for one in on for queue in one.hosted.get(worker.name, ())]
        yield replace(worker, queues=(*worker.queues, *hosted))


def gauges() -> Iterator[str]:
    """Yield the functions that set gauges from the database, as `module:function`."""
    for one in ALL:
        yield from one.gauges
