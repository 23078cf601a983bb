"""What every worker process and each of its children does at its start: Celery imports it together with the tasks."""

from __future__ import annotations

from celery.signals import worker_process_init

from workers import capabilities
from workers.runtime import bootstrap, broker, priority, watchdog

bootstrap.declare(capabilities.RINGS)
broker.read_leniently()


@worker_process_init.connect
def _continue_when_orphaned(**_: object) -> None:
    """Continue a child that was halted (`workers.runtime.yielding`) when its parent is killed."""
    priority.continue_when_orphaned()


@worker_process_init.connect
def _beat(**_: object) -> None:
    watchdog.beat_as_child()
