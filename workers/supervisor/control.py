"""Talk to a running supervisor over its socket, and find its processes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from xmlrpc.client import Error as XmlRpcError
from xmlrpc.client import ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

UP_STATES = ("RUNNING", "STARTING")
# A socket path may have 107 characters, and the supervisor first binds one with its process id appended.
LONGEST_SOCKET = 107 - len(".4194304")


@dataclass(frozen=True)
class Running:
    """One running program, and the seconds since it was started."""

    name: str
    pid: int
    uptime: float


class Unreachable(RuntimeError):
    """No supervisor answers on the socket."""


@dataclass(frozen=True)
class Process:
    """One supervised process. Uptime in seconds; memory in bytes, including its children."""

    name: str
    state: str
    pid: int | None
    uptime: float | None
    memory: int | None
    log: str

    @property
    def is_up(self) -> bool:
        """Whether it runs, or has just been started."""
        return self.state in UP_STATES


def socket_path(home: Path) -> Path:
    """Return the path of the supervisor's socket: inside the home folder, or elsewhere if that path is too long."""
    inside = home.absolute() / "supervisor.sock"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET:
        return inside
    digest = hashlib.sha256(os.fsencode(home.absolute())).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"reshelf-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else: set RESHELF_HOME to a shorter path")
    return folder / "supervisor.sock"


def processes(socket: Path) -> list[Process]:
    """Return every supervised process. Raises `Unreachable`."""
    with _connected(socket) as supervisor:
        found = supervisor.getAllProcessInfo()
    return [_process(info) for info in cast(list[dict[str, Any]], found)]


def running(socket: Path) -> list[Running]:
    """Return the programs that run. Raises `Unreachable`."""
    with _connected(socket) as supervisor:
        found = cast(list[dict[str, Any]], supervisor.getAllProcessInfo())
    return [Running(info["name"], info["pid"], float(info["now"] - info["start"])) for info in found if info["pid"]]


def start(socket: Path, group: str) -> None:
    """Start a group of programs, without waiting for them. Raises `Unreachable`."""
    with _connected(socket) as supervisor:
        supervisor.startProcessGroup(group, False)


def family(socket: Path) -> list[psutil.Process]:
    """Return every running process that this supervisor started, directly or not, even if it has ended itself."""
    marker = f"unix://{socket}"
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("SUPERVISOR_SERVER_URL") == marker and process.pid != os.getpid():
                found.append(process)
    return found


def sweep(socket: Path, *, patience: float) -> int:
    """Stop the processes that this supervisor left behind, by force after `patience` seconds; return how many."""
    left = family(socket)
    _each(left, "terminate")
    deadline = time.monotonic() + patience
    while family(socket) and time.monotonic() < deadline:
        time.sleep(0.1)
    _each(family(socket), "kill")
    return len(left)


def _each(those: Iterable[psutil.Process], method: str) -> None:
    for process in those:
        with contextlib.suppress(psutil.Error):
            getattr(process, method)()


@contextlib.contextmanager
def _connected(socket: Path) -> Iterator[Any]:
    transport = SupervisorTransport(None, None, f"unix://{socket}")
    try:
        yield ServerProxy("http://localhost", transport=transport).supervisor
    except (OSError, XmlRpcError) as error:
        raise Unreachable(f"no supervisor answers on {socket}: {error}") from error
    finally:
        transport.close()


def _process(info: dict[str, Any]) -> Process:
    pid = info["pid"] or None
    return Process(
        name=info["name"],
        state=info["statename"],
        pid=pid,
        uptime=float(info["now"] - info["start"]) if pid else None,
        memory=_memory(pid) if pid else None,
        log=info["logfile"],
    )


def _memory(pid: int) -> int | None:
    try:
        process = psutil.Process(pid)
        total = 0
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
        return total
    except psutil.Error:
        return None
