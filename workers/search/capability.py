"""The declaration of search."""

from __future__ import annotations

from reshelf import tasks
from storage import due
from workers.capability import Beat, Capability, Worker, seconds

CAPABILITY = Capability(
    name="search",
    tasks=("workers.search.tasks", "workers.search.training_tasks"),
    queues={"reshelf.search.*": tasks.SEARCH_QUEUE},
    rings={due.QUERY: tasks.ANSWER, due.CATALOGUE: tasks.FOLLOW},
    # One child process keeps the catalogue in memory, and answers queries one batch after the other.
    workers=(Worker("search", (tasks.SEARCH_QUEUE,), "prefork", 1, on_host=True),),
    # Without a search worker, these messages would only pile up.
    beats={
        "tend": Beat(tasks.TEND, seconds(30), expires=30),
        "update_search": Beat(tasks.UPDATE_SEARCH, seconds(60), expires=60),
    },
    is_on=lambda settings: settings.search,
)
