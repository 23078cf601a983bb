"""`reshelf worker NAME`: one Celery worker with the queue and the pool that its work needs."""

from __future__ import annotations

import os
from dataclasses import dataclass

import click

from workers.contract import tasks
from workers.runtime import priority


@dataclass(frozen=True)
class Kind:
    """What one worker takes, and with how many threads or processes."""

    queues: tuple[str, ...]
    pool: str
    concurrency: int
    niceness: int = 0
    bounded: bool = False
    on_host: bool = False
    alone: bool = False
    reads: bool = False


KINDS = {
    # Data messages are read in batches, beside what looks after the others: short transactions both.
    "intake": Kind((tasks.RUNTIME_QUEUE,), "threads", 2, reads=True),
    # One child process owns the device; the parent keeps acknowledgements and time limits. A shopper waits for it.
    "recommend": Kind((tasks.REFRESH_QUEUE,), "prefork", 1, alone=True),
    # The same models once more for what nobody waits for, and what is counted in Postgres: where cores are few, a shelf
    # that is read, and one that follows a click, go before one that another version ranks, and before reasons.
    "background": Kind((tasks.BACKGROUND_QUEUE, tasks.UPKEEP_QUEUE), "prefork", 1, niceness=10, alone=True),
    # Someone waits at a till for each order: a process of its own, so that no shelf is before it.
    "fraud": Kind((tasks.FRAUD_QUEUE,), "prefork", 1, on_host=True),
    # One child process keeps the catalogue in memory, and answers what is asked one batch after the other.
    "search": Kind((tasks.SEARCH_QUEUE,), "prefork", 1, on_host=True),
    # Hours of work that nobody waits for must not slow the shelves down.
    "train": Kind((tasks.TRAIN_QUEUE,), "prefork", 1, niceness=15, bounded=True),
}


@click.command()
@click.argument("name", type=click.Choice(list(KINDS)))
@click.option("--loglevel", default="INFO", show_default=True, help="Celery's log level.")
def worker(name: str, loglevel: str) -> None:
    """Run one worker until it is told to stop; SIGTERM lets running tasks finish."""
    kind = KINDS[name]
    # Celery reads it when imported: SIGTERM becomes the soft shutdown, which hands unfinished tasks back.
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    if kind.on_host:
        # A query or an order is so little arithmetic that it would wait for an accelerator, and threads for each other,
        # for longer than it takes; and the accelerator's memory belongs to who trains and ranks.
        os.environ["JAX_PLATFORMS"] = "cpu"
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if kind.alone:
        # XLA's threads share each small product, and spend more on waiting for each other than they save.
        os.environ.setdefault("NPROC", "1")
    if kind.niceness:
        priority.stand_back(kind.niceness)
    if kind.bounded:
        from workers import settings as configuration
        from workers.runtime import limits

        settings = configuration.load()
        limits.apply(cpus=settings.train_cpus, memory_gb=settings.train_memory_gb)
    from workers.runtime.app import app

    if kind.reads:
        from workers.intake.reader import Reading

        app.steps["worker"].add(Reading)
    app.worker_main(argv=arguments(name, loglevel))


def arguments(name: str, loglevel: str = "INFO") -> list[str]:
    """Return Celery's command line for one kind of worker."""
    kind = KINDS[name]
    return [
        "worker",
        f"--hostname={name}@%h",
        f"--queues={','.join(kind.queues)}",
        f"--pool={kind.pool}",
        f"--concurrency={kind.concurrency}",
        f"--loglevel={loglevel}",
        "--without-gossip",
        "--without-mingle",
    ]
