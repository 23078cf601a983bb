"""The declaration of recommendation."""

from __future__ import annotations

from reshelf import tasks
from storage import due
from workers.capability import Beat, Capability, Worker, seconds

CAPABILITY = Capability(
    name="recommend",
    tasks=("workers.recommend.tasks", "workers.recommend.training.tasks"),
    queues={
        tasks.REFRESH_LATER: tasks.BACKGROUND_QUEUE,
        tasks.EXPLAIN: tasks.BACKGROUND_QUEUE,
        "reshelf.recommend.*": tasks.REFRESH_QUEUE,
        "reshelf.learn.*": tasks.TRAIN_QUEUE,
    },
    rings={
        due.SHOPPER: tasks.REFRESH_SHOPPERS,
        due.ITEM: tasks.REFRESH_ITEMS,
        due.LATER: tasks.REFRESH_LATER,
        due.REASON: tasks.EXPLAIN,
    },
    workers=(
        # One child process owns the device; the parent handles acknowledgements and time limits. Shoppers wait for it.
        Worker("recommend", (tasks.REFRESH_QUEUE,), "prefork", 1, alone=True),
        # The same models again for background work, and for shelves that are counted in Postgres: on few cores,
        # requests and shelves that follow a click go before reasons and before what another version ranks.
        Worker("background", (tasks.BACKGROUND_QUEUE,), "prefork", 1, niceness=10, alone=True),
        # Hours of background work must not slow the shelves down.
        Worker("train", (tasks.TRAIN_QUEUE,), "prefork", 1, niceness=15, bounded=True, yields=True),
    ),
    beats={
        "explain": Beat(tasks.EXPLAIN, seconds(1), expires=5),
        "finetune": Beat(tasks.FINETUNE, seconds(60), expires=60),
        "drift": Beat(tasks.DRIFT, seconds(3600), expires=3600),
    },
    gauges=("workers.recommend.gauges:export",),
)
