"""The declaration of market analysis."""

from __future__ import annotations

from reshelf import tasks
from workers.capability import Beat, Capability, seconds

CAPABILITY = Capability(
    name="market",
    tasks=("workers.market.tasks",),
    # It computes for minutes: with the trainings, which are halted while a shopper waits.
    queues={"reshelf.market.*": tasks.TRAIN_QUEUE},
    beats={"market": Beat(tasks.REFRESH_MARKET, seconds(3600), expires=3600)},
    is_on=lambda settings: settings.market,
)
