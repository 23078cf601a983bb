"""The tasks that refresh the counted shelves."""

from __future__ import annotations

from functools import partial

from celery import shared_task

from reshelf import tasks
from storage import due
from storage.search import suggestions
from workers.runtime import bootstrap, claims
from workers.shelves import service


@shared_task(name=tasks.REFRESH_POPULAR)
def refresh_popular() -> None:
    """Refresh the popular and segment shelves."""
    services = bootstrap.services()
    service.refresh_popular(services.engine, services.settings)


@shared_task(name=tasks.REFRESH_SUGGESTIONS)
def refresh_suggestions() -> None:
    """Refresh the phrases that complete what a shopper types."""
    with bootstrap.services().engine.begin() as connection:
        suggestions.refresh(connection)


@shared_task(name=tasks.REFRESH_BASKETS)
def refresh_baskets() -> None:
    """Refresh the bought-together shelves of due items."""
    services = bootstrap.services()
    services.bell.answer(due.BASKET)
    work = partial(service.refresh_baskets, services.engine)
    if not claims.drain(services.engine, due.BASKET, work, services.settings):
        services.bell.ring(due.BASKET)
