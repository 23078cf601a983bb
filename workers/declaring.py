"""Says what is rung for. Every worker process imports it as it imports the tasks, and so does each of its children."""

from __future__ import annotations

from workers import capabilities
from workers.runtime import bootstrap

bootstrap.declare(capabilities.RINGS)
