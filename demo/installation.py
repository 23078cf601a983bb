"""A reshelf of the demo's own, started, trained and stopped with the same commands that a person would type."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from workers import settings as configuration
from workers.settings import Settings
from workers.supervisor import control, processes, run_file, supervise

OWN = ("HOME", "DATABASE_URL", "BROKER_URL", "API_KEYS", "FLOWER_BASIC_AUTH", "GATEWAY_HOST", "FLOWER_HOST")
"""Settings that the demo does not take from the environment: it must never meet a real shop's servers."""

START_SECONDS = 120.0
STOP_SECONDS = 120.0


class InstallationError(RuntimeError):
    """A command failed; the message holds the end of its log."""


class Installation:
    """The servers, workers and gateway in one home folder."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        kept = {name: value for name, value in os.environ.items() if name not in _OWN_VARIABLES}
        # The home is gone at the end; what JAX compiled is worth keeping for the next demo.
        compiled = {"JAX_COMPILATION_CACHE_DIR": str(Path.home() / ".cache" / "reshelf" / "jax")}
        self._environment = compiled | kept | {"RESHELF_HOME": str(self.home)}
        self._up: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> Settings:
        """What the running installation chose: ports and addresses."""
        return configuration.load(self._environment)

    @property
    def gateway_url(self) -> str:
        """Where the gateway listens."""
        return supervise.gateway_url(self.settings)

    @property
    def flower_url(self) -> str:
        """Where Flower listens."""
        return supervise.flower_url(self.settings)

    @property
    def broker_url(self) -> str:
        """Where messages go."""
        url = self.settings.broker_url
        assert url is not None  # `reshelf up` has chosen one
        return url

    def start(self) -> None:
        """Start everything and wait until it is ready. Raises `InstallationError`."""
        log = self._log("up")
        # Not `--detach`: as a child it can be stopped and waited for at any moment, also halfway through starting.
        self._up = self._spawn(log, "up")
        socket, deadline = control.socket_path(self.home), time.monotonic() + START_SECONDS
        while run_file.read(self.settings) is None:
            self._require_up(log, deadline)
            time.sleep(0.05)
        left = deadline - time.monotonic()
        if missing := supervise.wait_ready(self.settings, socket, timeout=left, alive=self._is_alive):
            self._require_up(log, deadline)
            raise InstallationError("not ready: " + "; ".join(missing))

    def stop(self) -> None:
        """Stop everything in order and wait for it; harmless where nothing was started."""
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

    def train(self, *, preset: str, minutes: float, seed: int) -> str:
        """Train and publish a model; return what the command printed."""
        options = ("--preset", preset, "--minutes", str(minutes), "--seed", str(seed))
        return self._run("train", *options)

    def status(self) -> dict[str, Any]:
        """Return what `reshelf status --json` says."""
        done = self._capture("status", "--json")
        try:
            report: dict[str, Any] = msgspec.json.decode(done.stdout)
        except msgspec.DecodeError as error:
            raise InstallationError(f"`reshelf status` failed:\n{done.stderr}") from error
        return report

    def due(self, kind: str) -> int:
        """Return how many of a kind (shopper, item, basket) wait to be computed again."""
        return sum(row["count"] for row in self.status()["due"] or () if row["kind"] == kind)

    def dead_letters(self) -> int:
        """Return how many rows could not be taken or computed."""
        return sum((self.status()["dead_letters"] or {}).values())

    def _run(self, *arguments: str) -> str:
        done = self._capture(*arguments)
        if done.returncode != 0:
            raise InstallationError(f"`reshelf {arguments[0]}` failed:\n{(done.stdout + done.stderr).strip()}")
        return done.stdout + done.stderr

    def _capture(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            processes.reshelf_command(*arguments),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def _spawn(self, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command that Ctrl-C at the terminal does not reach; `stop` ends it in order."""
        with log.open("wb") as output:
            return subprocess.Popen(
                processes.reshelf_command(*arguments),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _require_up(self, log: Path, deadline: float) -> None:
        if not self._is_alive():
            raise InstallationError(f"`reshelf up` ended:\n{supervise.tail(log)}")
        if time.monotonic() > deadline:
            raise InstallationError(f"not ready after {START_SECONDS:.0f} s:\n{supervise.tail(log)}")

    def _is_alive(self) -> bool:
        return self._up is not None and self._up.poll() is None

    def _log(self, name: str) -> Path:
        folder = self.home / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.log"


_OWN_VARIABLES = {configuration.PREFIX + name for name in OWN}


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let an impatient second Ctrl-C wait: it would leave servers behind."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
