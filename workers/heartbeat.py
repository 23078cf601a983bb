"""Heartbeats: each process says every second that it runs, by a file, so that others see when it hangs.

The time of the file is that of the clock that runs since the machine's start: the same for all processes, and nobody
sets it.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

EVERY_SECONDS = 1.0
HUNG_SECONDS = 15.0
"""A process that has said nothing for so long hangs."""

_FOLDER = "heartbeats"


def file(home: Path, program: str, child: int | None = None) -> Path:
    """Return the file of a program of this machine or container, or of its child with this process id.

    Containers may share a home folder, and have the same process ids.
    """
    return home / _FOLDER / socket.gethostname() / (program if child is None else f"{program}.{child}")


def beat(path: Path) -> None:
    """Say that this process runs."""
    now = time.monotonic_ns()
    try:
        os.utime(path, ns=(now, now))
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, ns=(now, now))


def age(path: Path) -> float | None:
    """Return the seconds since the last heartbeat; None before the first one."""
    try:
        return (time.monotonic_ns() - path.stat().st_mtime_ns) / 1e9
    except FileNotFoundError:
        return None


def hung_children(home: Path, program: str) -> list[int]:
    """Return the process ids of the program's children that have fallen silent."""
    files = file(home, program).parent.glob(f"{program}.*")
    return [int(path.suffix[1:]) for path in files if (age(path) or 0.0) > HUNG_SECONDS]


def is_hung(path: Path, uptime: float) -> bool:
    """Return whether a process that has run for `uptime` seconds, and had begun, has fallen silent."""
    silent = age(path)
    # A file that is older than the process is of the one before it.
    return silent is not None and HUNG_SECONDS < silent < uptime


def keep_beating(path: Path) -> None:
    """Beat from a thread of this process for as long as it lives.

    The thread falls silent when the process is stopped, or when a call holds the interpreter.
    """

    def run() -> None:
        while True:
            beat(path)
            time.sleep(EVERY_SECONDS)

    threading.Thread(target=run, name="heartbeat", daemon=True).start()
