"""What runs in a home folder: a lock that is held as long as `reshelf up` runs, and the file with its choices."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil

from storage.embedded import server
from workers import settings as configuration
from workers.settings import Settings

PATIENCE = 1.0


class AlreadyRunning(RuntimeError):
    """Another `reshelf up` uses the home folder."""

    def __init__(self, home: Path, pid: int | None) -> None:
        super().__init__(f"reshelf already runs in {home} (process {pid})")
        self.home = home
        self.pid = pid


@dataclass(frozen=True)
class Run:
    """The contents of `run.json` besides the settings: when it started, the process ids, the supervisor's socket."""

    pid: int
    supervisor_pid: int
    socket: str
    programs: list[str]
    started_at: str


@contextmanager
def hold(home: Path) -> Iterator[int]:
    """Hold the lock of the home folder and yield its file descriptor; a child that inherits it keeps the lock.

    Raises `AlreadyRunning`.
    """
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_lock_file(home), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + PATIENCE
        while not _lock(descriptor):
            # `reshelf status` holds it for a moment while it checks.
            if time.monotonic() > deadline:
                raise AlreadyRunning(home, holder(home))
            time.sleep(0.05)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def is_held(home: Path) -> bool:
    """Return whether `reshelf up`, or the supervisor that it left behind, runs in the home folder."""
    try:
        descriptor = os.open(_lock_file(home), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _lock(descriptor)
    finally:
        os.close(descriptor)


def holder(home: Path) -> int | None:
    """Return the process id of the last `reshelf up` in the home folder."""
    try:
        return int(_lock_file(home).read_text())
    except (FileNotFoundError, ValueError):
        return None


def process(home: Path) -> psutil.Process | None:
    """Return the process of the last `reshelf up` in the home folder if it still runs."""
    pid = holder(home)
    try:
        found = psutil.Process(pid) if pid is not None else None
        # A process that is younger than the lock file is another one that got the same id.
        if found is None or found.create_time() > _lock_file(home).stat().st_mtime + 1:
            return None
        return None if found.status() == psutil.STATUS_ZOMBIE else found
    except psutil.NoSuchProcess:
        return None


def write(settings: Settings, run: Run) -> None:
    """Write `run.json`, which `settings.load` reads in other shells."""
    chosen = msgspec.to_builtins(settings, enc_hook=str)
    values: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    content = msgspec.json.format(msgspec.json.encode(values | msgspec.to_builtins(run)))
    server.write_private(configuration.run_file(settings), content)


def read(settings: Settings) -> Run | None:
    """Return what the last `reshelf up` wrote, whether it still runs or not; None if it ended cleanly."""
    try:
        return msgspec.json.decode(configuration.run_file(settings).read_bytes(), type=Run)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def forget(settings: Settings) -> None:
    """Delete `run.json`."""
    configuration.run_file(settings).unlink(missing_ok=True)


def _lock_file(home: Path) -> Path:
    return home / "up.lock"


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
