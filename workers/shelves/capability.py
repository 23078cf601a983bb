"""The declaration of the counted shelves."""

from __future__ import annotations

from reshelf import tasks
from storage import due
from workers.capability import Beat, Capability, seconds

CAPABILITY = Capability(
    name="shelves",
    tasks=("workers.shelves.tasks",),
    queues={"reshelf.shelves.*": tasks.UPKEEP_QUEUE},
    rings={due.BASKET: tasks.REFRESH_BASKETS},
    beats={
        "popular": Beat(tasks.REFRESH_POPULAR, lambda settings: settings.shelves_every, expires=30),
        "suggestions": Beat(tasks.REFRESH_SUGGESTIONS, seconds(30), expires=30),
    },
)
