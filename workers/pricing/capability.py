"""The declaration of dynamic pricing."""

from __future__ import annotations

from reshelf import tasks
from workers.capability import Beat, Capability, seconds

CAPABILITY = Capability(
    name="pricing",
    tasks=("workers.pricing.tasks",),
    # A look at all prices computes for a minute or more; applying what is approved is a few statements.
    queues={
        tasks.PROPOSE_PRICES: tasks.TRAIN_QUEUE,
        tasks.WATCH_PRICES: tasks.TRAIN_QUEUE,
        tasks.APPLY_PRICES: tasks.UPKEEP_QUEUE,
    },
    beats={
        "propose_prices": Beat(tasks.PROPOSE_PRICES, lambda settings: settings.pricing_hours * 3600, expires=3600),
        "watch_prices": Beat(tasks.WATCH_PRICES, seconds(300), expires=300),
        "apply_prices": Beat(tasks.APPLY_PRICES, seconds(5), expires=5),
    },
    is_on=lambda settings: settings.pricing,
)
