"""Intake, declared."""

from __future__ import annotations

from reshelf import tasks
from workers.capability import Capability, Worker

CAPABILITY = Capability(
    name="intake",
    queues={"reshelf.intake.*": tasks.INTAKE_QUEUE},
    # Data messages are read in batches, beside what looks after the others: short transactions both.
    workers=(Worker("intake", (tasks.RUNTIME_QUEUE,), "threads", 2, reads=True),),
)
