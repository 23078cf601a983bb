"""A whole reshelf in a home folder, run from outside with the `reshelf` command, as a person runs it.

Demo, benchmarks and tests run reshelf with this. It imports nothing of the reshelf that it runs, so the sources may be
others: those that the environment's `PYTHONPATH` puts first.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from workers import exposure
from workers import settings as configuration
from workers.keys import local
from workers.settings import Settings
from workers.supervisor import control, processes, run_file, supervise

START_SECONDS = 180.0
STOP_SECONDS = 120.0
_LOOK_SECONDS = 1.0
# The offset of each process's metrics port from the first one.
_METRICS = {"intake": 0, "recommend": 1, "search": 2, "fraud": 3, "background": 4}


class InstallationError(RuntimeError):
    """A command failed; the message has its output, or the end of its log."""


class Installation:
    """The servers, workers and gateway in one home folder.

    `environ` is the environment of the commands, by default that of this process; the home folder is added. With
    `shown`, commands and their progress are printed to stderr; otherwise the output is only used in an error.
    """

    def __init__(self, home: Path, environ: Mapping[str, str] | None = None, *, shown: bool = False) -> None:
        self.home = home.absolute()
        self.environ = {**(os.environ if environ is None else environ), "RESHELF_HOME": str(self.home)}
        self._shown = shown
        self._up: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> Settings:
        """The settings that the running installation chose (ports, URLs); those of the environment if nothing runs."""
        # A port that the environment names may be taken.
        chosen = (self.home / configuration.RUN_FILE).exists()
        return configuration.load({"RESHELF_HOME": str(self.home)} if chosen else self.environ)

    @property
    def gateway_url(self) -> str:
        """The gateway's URL."""
        return exposure.gateway_url(self.settings)

    @property
    def api_key(self) -> str | None:
        """The key that a client on this machine sends; None where none is needed."""
        return local.for_client(self.settings)

    @property
    def flower_url(self) -> str:
        """Flower's URL."""
        return exposure.flower_url(self.settings)

    @property
    def broker_url(self) -> str:
        """The broker's URL."""
        return str(self.settings.broker_url)

    @property
    def database_url(self) -> str:
        """The database's URL."""
        return str(self.settings.database_url)

    def start(self, *, timeout: float = START_SECONDS) -> None:
        """Start everything and wait until it is ready. Raises `InstallationError`."""
        if missing := self.bring_up(timeout=timeout):
            raise InstallationError(f"not ready after {timeout:.0f} s: {'; '.join(missing)}")

    def bring_up(self, only: Sequence[str] = (), *, timeout: float = START_SECONDS) -> list[str]:
        """Start the programs named in `only` (empty: all); return what is not up after `timeout` seconds, one per line.

        Raises `InstallationError` if `reshelf up` ends by itself.
        """
        self.log("up").unlink(missing_ok=True)
        # A child process can be stopped and waited for at any time, even while it starts.
        self._up = self.spawn("up", "up", *(word for name in only for word in ("--only", name)))
        deadline = time.monotonic() + timeout
        while run_file.read(self.settings) is None and self._is_alive():
            if time.monotonic() > deadline:
                return [f"`reshelf up` has not begun: {supervise.tail(self.log('up'))}"]
            time.sleep(0.05)
        missing: list[str] = []
        if self._is_alive():
            left, socket = deadline - time.monotonic(), control.socket_path(self.home)
            missing = supervise.wait_ready(self.settings, socket, timeout=left, alive=self._is_alive)
        if not self._is_alive():
            said = supervise.tail(self.log("up")) or f"it ended with status {self._up.returncode}"
            raise InstallationError(f"`reshelf up` ended:\n{said}")
        return missing

    def stop(self) -> None:
        """Stop everything in order and wait for it; does nothing if nothing was started."""
        if self._up is None:
            return
        with _uninterrupted():
            self._up.terminate()
            try:
                self._up.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._up.kill()
                self._up.wait()
            self._up = None

    def spawn(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `reshelf arguments…`, which Ctrl-C at the terminal does not reach, and return its process.

        Its output is appended to `logs/NAME.log` in the home folder. The caller has to stop it.
        """
        log = self.log(name)
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
            return subprocess.Popen(
                processes.reshelf_command(*arguments),
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                umask=0o077,
            )

    def run(self, *arguments: str, timeout: float | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `reshelf arguments…` with these additional environment variables, and return the completed process."""
        return subprocess.run(
            processes.reshelf_command(*arguments),
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if self._shown else subprocess.PIPE,
            text=True,
            check=False,
            timeout=timeout,
        )

    def reshelf(self, *arguments: str, check: bool = True) -> str:
        """Run `reshelf arguments…` and return what it printed.

        Raises `InstallationError` for an exit status other than 0, unless `check` is False.
        """
        if self._shown:
            sys.stderr.write(f"reshelf {' '.join(arguments)}\n")
        done = self.run(*arguments)
        if check and done.returncode != 0:
            said = (done.stdout + (done.stderr or "")).strip()
            raise InstallationError(f"`reshelf {' '.join(arguments)}` ended with {done.returncode}:\n{said}")
        return done.stdout

    def status(self) -> dict[str, Any]:
        """Return the output of `reshelf status --json`. It is a separate process, and takes a second of a core."""
        done = self.run("status", "--json")
        try:
            report: dict[str, Any] = msgspec.json.decode(done.stdout)
        except msgspec.DecodeError as error:
            raise InstallationError(f"`reshelf status` failed:\n{done.stderr or done.stdout}") from error
        return report

    def due(self, kind: str) -> int:
        """Return how many rows of a kind (shopper, item, basket) are due."""
        return sum(row["count"] for row in self.status()["due"] or () if row["kind"] == kind)

    def dead_letters(self) -> int:
        """Return the number of dead letters."""
        return sum((self.status()["dead_letters"] or {}).values())

    def wait_until_idle(self, timeout: float = 600) -> None:
        """Wait until no message is queued and, once there is a model, nothing is due. Raises TimeoutError."""
        until = time.monotonic() + timeout
        while backlog := _backlog(self.status()):
            if time.monotonic() > until:
                raise TimeoutError(f"still {backlog} rows and messages to work on after {timeout:.0f} s")
            time.sleep(_LOOK_SECONDS)

    def metric(self, name: str, *, of: str) -> float | None:
        """Return a metric of one worker, such as `recommend`; None if the worker serves no metrics, or not this one."""
        import httpx  # `reshelf up` is the parent of everything and needs none of it

        port = self.settings.metrics_port + _METRICS[of]
        try:
            lines = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5, trust_env=False).text.splitlines()
        except httpx.HTTPError:
            return None
        return next((float(line.split()[-1]) for line in lines if line.startswith(f"{name} ")), None)

    def log(self, name: str) -> Path:
        """Return the path of the log of what was started under this name."""
        return self.home / "logs" / f"{name}.log"

    def _is_alive(self) -> bool:
        return self._up is not None and self._up.poll() is None


@contextmanager
def temporary(environ: Mapping[str, str] | None = None, *, shown: bool = False) -> Iterator[Installation]:
    """Run everything in a temporary folder, which is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="reshelf-") as home:
        installation = Installation(Path(home), environ, shown=shown)
        try:
            installation.start()
            yield installation
        finally:
            installation.stop()


def _backlog(status: Mapping[str, Any]) -> int:
    """Return how many messages are queued, plus, with a model, how many rows are due: without one nothing is ranked."""
    waiting = sum((status["queues"] or {}).values())
    due = sum(row["count"] for row in status["due"] or ()) if status["model"] else 0
    return int(waiting + due)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignore a second Ctrl-C during the block: it would leave servers running."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
