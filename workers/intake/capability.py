"""The declaration of intake."""

from __future__ import annotations

from reshelf import tasks
from workers.capability import Capability, Worker

CAPABILITY = Capability(
    name="intake",
    queues={"reshelf.intake.*": tasks.INTAKE_QUEUE},
    # Reads data messages in batches, and runs the upkeep tasks: both are short transactions.
    workers=(Worker("intake", (tasks.RUNTIME_QUEUE,), "threads", 2, reads=True),),
)
