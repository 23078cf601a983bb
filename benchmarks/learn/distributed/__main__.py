"""`python -m benchmarks.learn.distributed`: progress on stderr, one JSON object as the last line of stdout.

The same events are trained on in three ways, each in new processes on this machine's CPU: one device, eight devices of
one process, two processes. They share the cores, so this measures the cost of the division and not its gain; on
machines with several GPUs, `reshelf evaluate recommend --json` reports the speed.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine


@dataclass(frozen=True)
class Way:
    """A number of processes with a number of devices each."""

    name: str
    processes: int = 1
    devices: int = 1


WAYS = (Way("one device"), Way("eight devices", devices=8), Way("two processes", processes=2))

_FIGURES = ("processes", "devices", "examples", "seconds_per_epoch", "examples_per_second", "losses")


def main() -> None:
    """Measure and print."""
    options = _options()
    load = os.getloadavg()[0]  # of other programs, before the measurement
    runs = {}
    for way in WAYS:
        sys.stderr.write(f"{way.name}\n")
        runs[way.name] = _measured(way, options)
        sys.stderr.write(f"  {runs[way.name]['examples_per_second']} examples a second\n")
    first, *others = runs.values()
    result = {
        "benchmark": "distributed",
        **machine.describe(first["device"]),
        "load_before": round(load, 1),
        "data": first["data"],
        "config": first["config"],
        "ways": {name: {key: run[key] for key in _FIGURES} for name, run in runs.items()},
        "largest_difference_of_losses": max(_apart(first, other) for other in others),
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")
    sys.stdout.write(json.dumps(result) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.learn.distributed", description=__doc__)
    parser.add_argument("--events", type=Path, help="CSV or Parquet; without one, shoppers are made up")
    parser.add_argument("--users", type=int, default=2000, help="made-up shoppers, of twenty events each")
    parser.add_argument("--catalogue", type=int, default=5000, help="items that they buy")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--out", type=Path, help="file to keep the result in")
    return parser.parse_args()


def _measured(way: Way, options: argparse.Namespace) -> dict[str, Any]:
    """Run the way's processes; return what the leading one measured."""
    group = {"RESHELF_COORDINATOR": f"127.0.0.1:{_free_port()}", "RESHELF_PROCESSES": str(way.processes)}
    given = ["--users", options.users, "--catalogue", options.catalogue]
    given = ["--events", options.events] if options.events else given
    with tempfile.TemporaryDirectory(prefix="reshelf-distributed-") as folder:
        out = Path(folder) / "run.json"
        command = [*given, "--preset", options.preset, "--epochs", options.epochs, "--out", out]
        running = []
        for number in range(way.processes):
            environ = {**os.environ, "JAX_PLATFORMS": "cpu", "RESHELF_PROCESS": str(number)}
            environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={way.devices}"
            environ |= group if way.processes > 1 else {}
            line = [sys.executable, "-m", "benchmarks.learn.distributed.run", *map(str, command)]
            running.append(subprocess.Popen(line, env=environ, stdout=sys.stderr))
        if any([process.wait() for process in running]):
            raise SystemExit(f"{way.name}: a process failed, see above")
        run: dict[str, Any] = json.loads(out.read_text())
    return {"processes": way.processes, **run}


def _apart(one: dict[str, Any], other: dict[str, Any]) -> float:
    return float(np.abs(np.array(one["losses"]) - np.array(other["losses"])).max())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
