"""All capabilities: the one list that a new one is added to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from workers import capability
from workers.bots.capability import CAPABILITY as BOTS
from workers.capability import Capability, Ring, Worker
from workers.experiment.capability import CAPABILITY as EXPERIMENT
from workers.fraud.capability import CAPABILITY as FRAUD
from workers.intake.capability import CAPABILITY as INTAKE
from workers.recommend.capability import CAPABILITY as RECOMMEND
from workers.search.capability import CAPABILITY as SEARCH
from workers.settings import Settings
from workers.shelves.capability import CAPABILITY as SHELVES
from workers.upkeep.capability import CAPABILITY as UPKEEP

ALL: tuple[Capability, ...] = (INTAKE, RECOMMEND, SHELVES, SEARCH, FRAUD, EXPERIMENT, BOTS, UPKEEP)

ROUTES = {name: {"queue": queue} for one in ALL for name, queue in one.queues.items()}
"""The queue of every task, as Celery takes it: exact names come before the patterns that hold for them, too."""
QUEUES = tuple(dict.fromkeys(route["queue"] for route in ROUTES.values()))


def queue_of(task: str) -> str | None:
    """Return the queue of a task of ours by its name, None of another."""
    return capability.queue_of(task, ROUTES)


RINGS = {kind: Ring(task, queue_of(task) or "") for one in ALL for kind, task in one.rings.items()}
"""What is sent where something of a kind is due."""


def workers(settings: Settings | None = None) -> Iterator[Worker]:
    """Yield the worker processes, in the order in which they are started; those that `settings` want, where given."""
    on = [one for one in ALL if settings is None or one.is_on(settings)]
    for worker in (worker for one in on for worker in one.workers):
        hosted = [queue for one in on for queue in one.hosted.get(worker.name, ())]
        yield replace(worker, queues=(*worker.queues, *hosted))


def gauges() -> Iterator[str]:
    """Yield the functions that set gauges from the database, as `module:function`."""
    for one in ALL:
        yield from one.gauges
