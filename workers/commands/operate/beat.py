"""`reshelf beat`: the scheduler. Run exactly one."""

from __future__ import annotations

from pathlib import Path

import click

from workers import settings as configuration
from workers.runtime import priority
from workers.settings import Settings


@click.command()
@click.option("--loglevel", default="INFO", show_default=True, help="Celery's log level.")
def beat(loglevel: str) -> None:
    """Run the scheduler that rings for whatever is due."""
    settings = configuration.load()
    schedule = schedule_file(settings)
    schedule.parent.mkdir(parents=True, exist_ok=True)
    # Where cores are few, a shelf that is being read goes before a bell, which may as well ring a moment later.
    priority.stand_back(10)
    from workers.app import app

    # No pid file: after a crash it would name a stranger and keep the scheduler from starting.
    app.start(argv=["beat", f"--schedule={schedule}", f"--loglevel={loglevel}", "--pidfile="])


def schedule_file(settings: Settings) -> Path:
    """Return where the scheduler keeps when it rang last."""
    return settings.home / "beat" / "schedule"
