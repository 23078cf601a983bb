"""Watching: a program that runs, but hangs, is killed, and the supervisor starts it again.

The supervisor sees only whether a process lives. What else can be seen depends on the program: heartbeats of workers,
scheduler and gateway, answers of Flower. A database server that is stopped is continued: that loses nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection
from pathlib import Path

import psutil

from workers import heartbeat
from workers.supervisor import control, probe
from workers.supervisor.control import Running

LOOK_SECONDS = 2.0
_THOROUGH_SECONDS = 6.0
"""A look at most so often asks Flower, and looks at the children of the servers: that reads all processes' files."""
_PROBES = 2
"""So many probes without an answer, one after the other, and Flower hangs."""


class Watcher:
    """Looks after the programs of the supervisor on a socket. `tell` gets a line for each that hung."""

    def __init__(
        self, home: Path, socket: Path, *, servers: Collection[str], flower_url: str, tell: Callable[[str], None]
    ) -> None:
        self._home = home
        self._socket = socket
        self._servers = servers
        self._flower_url = flower_url
        self._tell = tell
        self._looked = self._looked_thoroughly = time.monotonic()
        self._unanswered = 0

    def watch(self, supervisor: subprocess.Popen[bytes]) -> None:
        """Look again and again until the supervisor ends."""
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                supervisor.wait(LOOK_SECONDS)
                return
            # A supervisor that is stopped would leave the question unanswered.
            _continue(supervisor.pid)
            with contextlib.suppress(control.Unreachable):
                self.look()

    def look(self) -> None:
        """Continue stopped servers, and kill the programs that hang. Raises `control.Unreachable`."""
        now = time.monotonic()
        # Where this process was stopped, all of them may have been: they get time to speak.
        was_away, self._looked = now - self._looked > heartbeat.HUNG_SECONDS, now
        is_thorough = now - self._looked_thoroughly >= _THOROUGH_SECONDS
        if is_thorough:
            self._looked_thoroughly = now
        running = control.running(self._socket)
        for one in running:
            if one.name in self._servers:
                _continue(one.pid, children=is_thorough)
        if was_away:
            return
        for program in running:
            if program.name not in self._servers and self._is_hung(program, is_thorough=is_thorough):
                self._tell(f"{program.name} hangs: killed, to be started again")
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(program.pid, signal.SIGKILL)

    def _is_hung(self, program: Running, *, is_thorough: bool) -> bool:
        if program.name == "flower":
            return is_thorough and self._is_silent(program)
        return heartbeat.is_hung(heartbeat.file(self._home, program.name), program.uptime)

    def _is_silent(self, flower: Running) -> bool:
        """Return whether Flower, which has no heartbeat, has left the last probes unanswered."""
        if flower.uptime < heartbeat.HUNG_SECONDS:
            return False
        is_well = probe.problem(f"{self._flower_url}/healthcheck", timeout=2.0) is None
        self._unanswered = 0 if is_well else self._unanswered + 1
        if self._unanswered < _PROBES:
            return False
        self._unanswered = 0
        return True


def _continue(pid: int, *, children: bool = False) -> None:
    """Continue a process, and its children if asked, where they are stopped."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [process, *(process.children() if children else ())]:
            with contextlib.suppress(psutil.Error):
                if one.status() == psutil.STATUS_STOPPED:
                    one.resume()
