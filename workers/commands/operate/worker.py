"""`reshelf worker NAME`: one Celery worker with its queues and its pool."""

from __future__ import annotations

import os

import click

from workers import capabilities
from workers.runtime import priority

TASK_SECONDS = 600
"""After so long a task is ended, with its process."""

KINDS = {worker.name: worker for worker in capabilities.workers()}


@click.command()
@click.argument("name", type=click.Choice(list(KINDS)))
@click.option("--loglevel", default="INFO", show_default=True, help="Celery's log level.")
def worker(name: str, loglevel: str) -> None:
    """Run one worker until it is told to stop; SIGTERM lets running tasks finish."""
    kind = KINDS[name]
    # Celery reads it when imported: SIGTERM becomes the soft shutdown, which returns unfinished tasks to the queue.
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    # The name of its connections and of its children's, in pg_stat_activity.
    os.environ.setdefault("PGAPPNAME", f"reshelf-{name}")
    # The name of its heartbeats, and of its children's.
    os.environ["_RESHELF_PROGRAM"] = f"worker-{name}"
    if kind.on_host:
        # A query or an order needs so little arithmetic that moving it to an accelerator, or between threads, takes
        # longer than the work; and the accelerator's memory is for training and ranking.
        os.environ["JAX_PLATFORMS"] = "cpu"
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if kind.alone:
        # XLA's threads share each small matrix product, and wait for each other longer than they save.
        os.environ.setdefault("NPROC", "1")
    if kind.niceness:
        priority.stand_back(kind.niceness)
    if kind.bounded:
        from workers import settings as configuration
        from workers.runtime import limits

        settings = configuration.load()
        limits.apply(cpus=settings.train_cpus, memory_gb=settings.train_memory_gb)
    from workers.app import app
    from workers.runtime.watchdog import Watching

    app.steps["worker"].add(Watching)
    if kind.reads:
        from workers.intake.reader import Reading

        app.steps["worker"].add(Reading)
    if kind.yields:
        from workers.runtime.yielding import Yielding

        app.steps["worker"].add(Yielding)
    app.worker_main(argv=arguments(name, loglevel))


def arguments(name: str, loglevel: str = "INFO") -> list[str]:
    """Return Celery's command line for one worker."""
    kind = KINDS[name]
    # A training may take hours; everything else has its turn, and is stuck if it takes so long.
    limits = [] if kind.bounded else [f"--time-limit={TASK_SECONDS}"]
    return [
        "worker",
        f"--hostname={name}@%h",
        f"--queues={','.join(kind.queues)}",
        f"--pool={kind.pool}",
        f"--concurrency={kind.concurrency}",
        f"--loglevel={loglevel}",
        "--without-gossip",
        "--without-mingle",
        *limits,
    ]
