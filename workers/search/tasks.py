"""The tasks of search. They are wake-ups and carry no data."""

from __future__ import annotations

from functools import partial

from celery import shared_task

from reshelf import tasks
from storage import due
from storage.search import answers
from workers.runtime import bootstrap, claims, garbage_collection
from workers.runtime.bootstrap import Services
from workers.search import parts


@shared_task(name=tasks.ANSWER, send_events=False)
def answer() -> None:
    """Answer the queries that are due."""
    services = bootstrap.services()
    services.bell.answer(due.QUERY)
    _answer(services)


@shared_task(name=tasks.FOLLOW, send_events=False)
def follow() -> None:
    """Follow changes of the catalogue and of the live version, and renew the answers that they concern."""
    services = bootstrap.services()
    services.bell.answer(due.CATALOGUE)
    _answer(services)


@shared_task(name=tasks.TEND)
def tend() -> None:
    """Delete answers that nobody asks for, and renew old ones that are asked for often."""
    services = bootstrap.services()
    with services.nondurable.begin() as connection:
        answers.tend(connection)
    _answer(services)


def _answer(services: Services) -> None:
    from workers.search import answering

    serving = services.part(parts.serving)
    if serving.follow():
        garbage_collection.freeze()
    work = partial(answering.answer, services.nondurable, serving, services.part(parts.tastes))
    if not claims.drain(services.nondurable, due.QUERY, work, services.settings, most=answering.MOST_AT_ONCE):
        services.bell.ring(due.QUERY)
