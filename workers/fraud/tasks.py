"""The tasks that screen orders: the door for messages, and the one that the doorbell sends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from celery import shared_task
from sqlalchemy.exc import SQLAlchemyError

from reshelf import tasks
from storage import due
from storage.due import Claim
from workers.fraud import parts
from workers.runtime import bootstrap, claims, unhandled
from workers.runtime.bootstrap import Services


@shared_task(
    name=tasks.SCREEN,
    ignore_result=False,
    autoretry_for=(SQLAlchemyError,),
    max_retries=None,
    retry_backoff=1,
    retry_backoff_max=30,
)
def screen(*arguments: Any, **named: Any) -> Any:
    """Write orders (the one argument, by whatever name), decide, and answer `screenings` and `rejected`."""
    from workers.fraud import door  # imports JAX

    batch = unhandled.only_argument(tasks.SCREEN, arguments, named.values())
    services = bootstrap.services()
    return msgspec.to_builtins(door.screen(services.engine, services.settings, batch, partial(_drain, services)))


@shared_task(name=tasks.SCREEN_DUE)
def screen_due() -> None:
    """Decide about due orders, for as long as they come."""
    from workers.fraud import polling

    services = bootstrap.services()
    if not polling.poll(partial(_drain, services), partial(services.bell.answer, due.ORDER)):
        services.bell.ring(due.ORDER)


def _drain(services: Services) -> int:
    """Process what is due; return how many orders that was."""
    from workers.fraud import polling, screening

    done = 0

    def work(claimed: Sequence[Claim]) -> None:
        nonlocal done
        screening.screen(services.engine, services.part(parts.serving), claimed)
        done += len(claimed)
        time.sleep(polling.PAUSE_SECONDS)

    # A claim that is lost in a crash of the server just frees its row: it need not wait for the disk.
    claims.drain(services.nondurable, due.ORDER, work, services.settings)
    return done
