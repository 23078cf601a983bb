"""The tasks that detect bots and remove their effects."""

from __future__ import annotations

from functools import partial

from celery import shared_task

from reshelf import tasks
from storage import due
from storage.bots import actors
from workers.runtime import bootstrap, claims


@shared_task(name=tasks.WATCH_ACTORS)
def watch() -> None:
    """Run the detector and flag bots."""
    from workers.bots import watch  # imports NumPy and Polars

    services = bootstrap.services()
    found = watch.look(services.engine, services.settings)
    if found is not None and found.flagged:
        services.bell.ring(*actors.MOVED)


@shared_task(name=tasks.REFRESH_ACTORS)
def refresh() -> None:
    """Count again what flagged or cleared shoppers had changed."""
    from workers.bots import recounting  # imports NumPy

    services = bootstrap.services()
    services.bell.answer(due.ACTOR)
    work = partial(recounting.recount, services.engine)
    done = claims.drain(services.engine, due.ACTOR, work, services.settings)
    services.bell.ring(due.LATER, *([] if done else [due.ACTOR]))
