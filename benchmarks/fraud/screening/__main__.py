"""`python -m benchmarks.fraud.screening`: progress on stderr, one JSON object as the last line of stdout."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from benchmarks import access, figures, machine, progress
from benchmarks.fraud.screening import orders, traffic
from workers.settings import Settings
from workers.supervisor import installation as installations
from workers.supervisor.installation import Installation

_RULES = """
[[rules]]
name = "busy-device"
decision = "decline"
reason = "more than twenty orders from this device within an hour"
when = { device_orders_1h = { above = 20 } }

[[rules]]
name = "busy-card"
decision = "review"
reason = "more than ten orders with this card within a day"
when = { payment_orders_1d = { above = 10 } }
"""


def main() -> None:
    """Measure and print."""
    options = _options()
    with installations.temporary(access.environ(), shown=True) as installation:
        result = _measure(options, installation)
    figures.tell(result, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.fraud.screening", description=__doc__)
    parser.add_argument("--past", type=int, default=1_000_000, help="orders in the database before")
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=180, help="of past orders")
    parser.add_argument("--rate", type=int, default=200, help="orders a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--outage-seconds", type=float, default=20, help="with the model's process killed")
    parser.add_argument("--untrained", action="store_true", help="without a model: rules alone, through the worker")
    parser.add_argument("--out", help="file to keep the result in")
    return parser.parse_args()


def _measure(options: argparse.Namespace, installation: Installation) -> dict[str, Any]:
    settings = installation.settings
    loaded = _prepare(options, installation)
    trained = None
    if not options.untrained:
        trained = json.loads(installation.reshelf("train", "fraud", "--json"))
    _drive(options, settings, "warm-up", 5)
    progress.say(f"{options.rate} orders/s for {options.seconds:.0f} s")
    served = _drive(options, settings, "served", options.seconds)
    with _stopped(settings):
        progress.say("the same with the model's process stopped")
        outage = _drive(options, settings, "outage", options.outage_seconds)
    return {
        "benchmark": "screening",
        **machine.describe("cpu"),
        "past_orders": loaded["written"],
        "customers": options.customers,
        "rate": options.rate,
        "deadline_ms": settings.screen_deadline_ms,
        "training": trained and {name: trained[name] for name in ("orders", "frauds", "seconds", "gate")},
        "served": served,
        "model_process_killed": outage,
    }


def _prepare(options: argparse.Namespace, installation: Installation) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="reshelf-bench-orders-") as folder:
        path, rules = Path(folder) / "orders.csv", Path(folder) / "rules.toml"
        progress.say(f"writing {options.past} past orders")
        until = datetime.now(UTC) - timedelta(hours=1)
        orders.write_past(path, count=options.past, customers=options.customers, days=options.days, until=until)
        loaded: dict[str, Any] = json.loads(installation.reshelf("load", "--orders", str(path), "--json"))
        rules.write_text(_RULES)
        installation.reshelf("fraud", "rules", "activate", str(rules))
    return loaded


def _drive(options: argparse.Namespace, settings: Settings, name: str, seconds: float) -> dict[str, Any]:
    prefix = f"{name}-{os.getpid()}"
    found = traffic.run(
        settings.gateway_port, rate=options.rate, seconds=seconds, customers=options.customers, prefix=prefix
    )
    latencies = found["latencies"]
    return {
        "orders": len(latencies),
        "p50_ms": figures.percentile(latencies, 50),
        "p95_ms": figures.percentile(latencies, 95),
        "p99_ms": figures.percentile(latencies, 99),
        "longest_ms": figures.percentile(latencies, 100),
        "by": found["by"],
        "decisions": found["decisions"],
    }


class _stopped:
    """Kills the fraud worker with its child and keeps it from being started again during the block."""

    def __init__(self, settings: Settings) -> None:
        self._socket = f"unix://{settings.home}/supervisor.sock"

    def __enter__(self) -> None:
        pid = int(self._supervisor("pid", "application:worker-fraud"))
        processes = [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]
        for process in processes:
            process.kill()
        self._supervisor("stop", "application:worker-fraud")
        time.sleep(1)

    def __exit__(self, *_: object) -> None:
        self._supervisor("start", "application:worker-fraud")

    def _supervisor(self, *words: str) -> str:
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-s", self._socket, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    main()
