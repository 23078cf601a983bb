"""A whole reshelf from given sources, also of another revision, with what the ledger needs of it."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import progress
from workers.supervisor import run_file
from workers.supervisor.installation import Installation

METRICS_PORTS = 8
_SUPERVISOR = "up"
# Trainings start after thousands of events: whether one falls into a phase would be chance.
_NO_LEARNING = {"finetune_events": "0", "finetune_hours": "0", "search_train_changes": "0", "search_train_hours": "0"}


class System(Installation):
    """A running installation: the sources in `root`, everything else of it in `home`."""

    def __init__(self, root: Path, home: Path) -> None:
        super().__init__(home, _environ(root), shown=True)
        self.root = root

    @property
    def metrics_ports(self) -> range:
        """The ports on which its processes may serve metrics."""
        first = self.settings.metrics_port
        return range(first, first + METRICS_PORTS)

    def folder_of(self, package: str) -> Path:
        """Return the folder from which its processes import `package`."""
        # -P: the current folder has packages of the same names.
        command = [sys.executable, "-P", "-c", f"import {package}; print({package}.__file__)"]
        found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=self.environ)
        return Path(found.stdout.strip()).resolve().parent

    def programs(self) -> dict[int, str]:
        """Return the program of each supervised process by its process id; `up` is the supervisor."""
        found = {process["pid"]: str(process["name"]) for process in self.status()["processes"] if process["pid"]}
        run = run_file.read(self.settings)
        assert run is not None
        return found | {run.pid: _SUPERVISOR}


@contextmanager
def running(root: Path) -> Iterator[System]:
    """Run the sources in `root` in their own home folder until the end.

    Raises RuntimeError if Python would import other sources than these.
    """
    with tempfile.TemporaryDirectory(prefix="reshelf-cost-") as home:
        system = System(root, Path(home))
        if system.folder_of("workers") != root.resolve() / "workers":
            raise RuntimeError(f"Python takes workers from {system.folder_of('workers')}, not from {root}")
        progress.say(f"starting the reshelf of {root}")
        try:
            system.start()
            yield system
        finally:
            system.stop()


def _environ(root: Path) -> dict[str, str]:
    """Return an environment in which these sources win over the installed ones, with separate metrics ports."""
    known = (root / "workers" / "settings.py").read_text()
    calm = {f"RESHELF_{name.upper()}": value for name, value in _NO_LEARNING.items() if f"    {name}: " in known}
    before = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        **calm,
        "PYTHONPATH": os.pathsep.join([str(root), *([before] if before else [])]),
        "RESHELF_METRICS_PORT": str(_free_ports(METRICS_PORTS)),
    }


def _free_ports(count: int) -> int:
    """Return the first of `count` consecutive free ports: another reshelf may run here."""
    while True:
        first = random.randrange(20_000, 30_000)
        if all(_is_free(port) for port in range(first, first + count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
