"""The declaration of fraud detection."""

from __future__ import annotations

from reshelf import tasks
from storage import due
from workers.capability import Beat, Capability, Worker, seconds

CAPABILITY = Capability(
    name="fraud",
    tasks=("workers.fraud.tasks", "workers.fraud.training.tasks"),
    queues={"reshelf.fraud.*": tasks.FRAUD_QUEUE},
    rings={due.ORDER: tasks.SCREEN_DUE},
    # Each order has a customer waiting: its own process, so that no shelf is computed first.
    workers=(Worker("fraud", (tasks.FRAUD_QUEUE,), "prefork", 1, on_host=True),),
    beats={
        "update_fraud": Beat(tasks.UPDATE_FRAUD, seconds(60), expires=60),
        "fraud_drift": Beat(tasks.FRAUD_DRIFT, seconds(3600), expires=3600),
    },
    gauges=("workers.fraud.gauges:export",),
    is_on=lambda settings: settings.fraud,
)
