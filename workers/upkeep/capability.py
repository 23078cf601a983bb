"""The declaration of upkeep."""

from __future__ import annotations

from reshelf import tasks
from workers.capability import Beat, Capability, seconds

CAPABILITY = Capability(
    name="upkeep",
    tasks=("workers.upkeep.tasks",),
    queues={tasks.MAINTAIN: tasks.UPKEEP_QUEUE, "reshelf.runtime.*": tasks.RUNTIME_QUEUE},
    hosted={"background": (tasks.UPKEEP_QUEUE,)},
    beats={
        "reconcile": Beat(tasks.RECONCILE, lambda settings: settings.reconcile_every, expires=30),
        "maintain": Beat(tasks.MAINTAIN, seconds(3600), expires=3600),
    },
)
