"""The declaration of experiments."""

from __future__ import annotations

from reshelf import tasks
from workers.capability import Beat, Capability, seconds

CAPABILITY = Capability(
    name="experiment",
    tasks=("workers.experiment.tasks",),
    queues={"reshelf.experiment.*": tasks.RUNTIME_QUEUE},
    beats={"canary": Beat(tasks.WATCH_CANARY, seconds(10), expires=10)},
)
