"""The declaration of bot detection."""

from __future__ import annotations

from reshelf import tasks
from storage import due
from workers.capability import Beat, Capability, seconds

CAPABILITY = Capability(
    name="bots",
    tasks=("workers.bots.tasks",),
    queues={"reshelf.actors.*": tasks.UPKEEP_QUEUE},
    rings={due.ACTOR: tasks.REFRESH_ACTORS},
    beats={"actors": Beat(tasks.WATCH_ACTORS, seconds(60), expires=60)},
    gauges=("workers.bots.gauges:export",),
)
