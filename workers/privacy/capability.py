"""The declaration of privacy."""

from __future__ import annotations

from reshelf import tasks
from storage import due
from workers.capability import Beat, Capability, seconds

CAPABILITY = Capability(
    name="privacy",
    tasks=("workers.privacy.tasks",),
    queues={tasks.ERASE: tasks.UPKEEP_QUEUE},
    rings={due.ERASURE: tasks.ERASE},
    # Asked for anew every time, for erasures that were interrupted.
    beats={"erase": Beat(tasks.ERASE, seconds(5), expires=30)},
)
