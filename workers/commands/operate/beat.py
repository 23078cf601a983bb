"""`reshelf beat`: the scheduler of periodic tasks. Run exactly one."""

from __future__ import annotations

from pathlib import Path

import click

from workers import settings as configuration
from workers.runtime import priority
from workers.settings import Settings


@click.command()
@click.option("--loglevel", default="INFO", show_default=True, help="Celery's log level.")
def beat(loglevel: str) -> None:
    """Run the scheduler of periodic tasks."""
    settings = configuration.load()
    schedule = schedule_file(settings)
    schedule.parent.mkdir(parents=True, exist_ok=True)
    # On few cores, requests go first: a periodic task may start a moment later.
    priority.stand_back(10)
    from workers.app import app

    # No pid file: after a crash it could name another process and keep the scheduler from starting.
    app.start(
        argv=[
            "beat",
            f"--schedule={schedule}",
            "--scheduler=workers.runtime.scheduler:Scheduler",
            f"--loglevel={loglevel}",
            "--pidfile=",
        ]
    )


def schedule_file(settings: Settings) -> Path:
    """Return the file in which the scheduler keeps when it last sent each task."""
    return settings.home / "beat" / "schedule"
