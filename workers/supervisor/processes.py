"""The programs of a running reshelf, as data: their order, and how each of them is stopped."""

from __future__ import annotations

import importlib.util
import signal
import sys
from dataclasses import dataclass

from storage.embedded import launch
from storage.embedded.server import Server
from workers import capabilities
from workers.settings import Settings

SERVERS = "servers"
APPLICATION = "application"
NAMES = (
    "postgres",
    "redis",
    *(f"worker-{worker.name}" for worker in capabilities.workers()),
    "beat",
    "gateway",
    "flower",
)


@dataclass(frozen=True)
class Program:
    """One program: it counts as started after `start_seconds`, and is killed `stop_seconds` after its stop signal."""

    name: str
    group: str
    command: list[str]
    stop_signal: signal.Signals = signal.SIGTERM
    start_seconds: int = 1
    stop_seconds: int = 30


def embedded(server: Server) -> Program:
    """Return the program that runs an embedded server; it stops after everything that uses it."""
    # PostgreSQL may have much to write, Redis has not; both survive being killed.
    stop_seconds = 60 if server.name == "postgres" else 10
    return Program(server.name, SERVERS, server.command, server.stop_signal, stop_seconds=stop_seconds)


def application(settings: Settings) -> list[Program]:
    """Return the programs that need the servers and a migrated database; Flower only if it is installed."""
    programs = [
        *(
            _reshelf(f"worker-{worker.name}", "worker", worker.name, start_seconds=5)
            for worker in capabilities.workers(settings)
        ),
        _reshelf("beat", "beat", start_seconds=5, stop_seconds=10),
        _reshelf("gateway", "gateway", start_seconds=3, stop_seconds=15),
    ]
    if importlib.util.find_spec("flower") is not None:
        programs.append(_reshelf("flower", "flower", start_seconds=3, stop_seconds=5))
    return programs


def reshelf_command(*arguments: str) -> list[str]:
    """Return the command line of a `reshelf` command, which depends on neither PATH nor the current folder."""
    return [sys.executable, "-P", "-m", "workers.cli", *arguments]


def _reshelf(name: str, *arguments: str, start_seconds: int, stop_seconds: int = 30) -> Program:
    return Program(
        name,
        APPLICATION,
        launch.command(reshelf_command(*arguments)),
        start_seconds=start_seconds,
        stop_seconds=stop_seconds,
    )
