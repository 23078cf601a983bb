"""The scheduler of periodic tasks: Celery's, with a heartbeat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery.beat import PersistentScheduler

from workers import heartbeat
from workers import settings as configuration

PROGRAM = "beat"


class Scheduler(PersistentScheduler):  # type: ignore[misc]  # Celery ships no types
    """Beats whenever it looks for what is due, which is at least once every few seconds."""

    max_interval = 5.0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._file: Path = heartbeat.file(configuration.load().home, PROGRAM)
        super().__init__(*arguments, **named)

    def tick(self, *arguments: Any, **named: Any) -> Any:
        """Beat, and send what is due."""
        heartbeat.beat(self._file)
        return super().tick(*arguments, **named)
