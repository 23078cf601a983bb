"""A whole reshelf of given sources, driven from outside: by its commands, and by what it wrote about itself.

Nothing of it is imported, so that sources of another age are measured with the same eyes.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import installation

METRICS_PORTS = 8
_SUPERVISOR = "up"
# Learning answers to thousands of events at once: whether it falls into a phase would be luck.
_NO_LEARNING = {"finetune_events": "0", "finetune_hours": "0", "search_train_changes": "0", "search_train_hours": "0"}


@dataclass(frozen=True)
class System:
    """A running installation: the sources in `root`, everything else of it in `home`."""

    root: Path
    home: Path
    environ: dict[str, str]

    @property
    def broker_url(self) -> str:
        """Where its Redis answers."""
        return str(self._chosen()["broker_url"])

    @property
    def database_url(self) -> str:
        """Where its Postgres answers."""
        return str(self._chosen()["database_url"])

    @property
    def metrics_ports(self) -> range:
        """The ports on which its processes may serve metrics."""
        first = int(self._chosen()["metrics_port"])
        return range(first, first + METRICS_PORTS)

    def reshelf(self, *arguments: str, check: bool = True) -> str:
        """Run `reshelf arguments…` of these sources and return what it printed.

        Raises CalledProcessError for an exit status other than 0, unless `check` is False.
        """
        return self._python("-m", "workers.cli", *arguments, check=check)

    def folder_of(self, package: str) -> Path:
        """Return the folder from which its processes import `package`."""
        found = self._python("-c", f"import {package}; print({package}.__file__)")
        return Path(found.strip()).resolve().parent

    def programs(self) -> dict[int, str]:
        """Return the program of each supervised process by its process id; `up` is what supervises them."""
        status = json.loads(self.reshelf("status", "--json", check=False))
        found = {process["pid"]: str(process["name"]) for process in status["processes"] if process["pid"]}
        return found | {int(self._chosen()["pid"]): _SUPERVISOR}

    def wait_until_idle(self, timeout: float = 600) -> None:
        """Wait until no message waits and, once there is a model, nothing is due. Raises TimeoutError."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            status = json.loads(self.reshelf("status", "--json", check=False))
            backlog = sum((status["queues"] or {}).values())
            backlog += sum(row["count"] for row in status["due"] or []) if status["model"] else 0
            if not backlog:
                return
            time.sleep(2)
        raise TimeoutError(f"still {backlog} rows and messages to work on after {timeout:.0f} s")

    def _chosen(self) -> dict[str, Any]:
        """Return what `reshelf up` chose: ports, addresses with passwords, its process id."""
        return dict(json.loads((self.home / "run.json").read_text()))

    def _python(self, *arguments: str, check: bool = True) -> str:
        # -P: the folder that we stand in holds packages of the same names.
        command = [sys.executable, "-P", *arguments]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=check, env=self.environ, cwd=self.root)
        return run.stdout


@contextmanager
def running(root: Path) -> Iterator[System]:
    """Run the sources in `root` in a home folder of their own until the end.

    Raises RuntimeError if Python would take other sources than these.
    """
    with tempfile.TemporaryDirectory(prefix="reshelf-cost-") as home:
        system = System(root, Path(home), _environ(root, home))
        if system.folder_of("workers") != root.resolve() / "workers":
            raise RuntimeError(f"Python takes workers from {system.folder_of('workers')}, not from {root}")
        installation.say(f"starting the reshelf of {root}")
        try:
            system.reshelf("up", "--detach")
            yield system
        finally:
            system.reshelf("down", check=False)


def _environ(root: Path, home: str) -> dict[str, str]:
    """Return the environment in which these sources win over the installed ones, on metrics ports of their own."""
    known = (root / "workers" / "settings.py").read_text()
    calm = {f"RESHELF_{name.upper()}": value for name, value in _NO_LEARNING.items() if f"    {name}: " in known}
    before = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        **calm,
        "PYTHONPATH": os.pathsep.join([str(root), *([before] if before else [])]),
        "RESHELF_HOME": home,
        "RESHELF_METRICS_PORT": str(_free_ports(METRICS_PORTS)),
    }


def _free_ports(count: int) -> int:
    """Return the first of so many neighbouring ports that nobody listens on: another reshelf may run here."""
    while True:
        first = random.randrange(20_000, 30_000)
        if all(_is_free(port) for port in range(first, first + count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
