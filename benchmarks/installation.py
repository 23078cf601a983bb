"""A whole installation to measure, run as its users run it: with the `reshelf` command, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from workers import settings as configuration
from workers.settings import Settings


@contextmanager
def running() -> Iterator[Settings]:
    """Run everything until the end; yield what it chose."""
    with tempfile.TemporaryDirectory(prefix="reshelf-bench-") as home:
        os.environ["RESHELF_HOME"] = home
        reshelf("up", "--detach")
        try:
            yield configuration.load()
        finally:
            reshelf("down")


def reshelf(*arguments: str, check: bool = True) -> str:
    """Run `reshelf arguments…` and return what it printed; its progress goes to stderr.

    Raises CalledProcessError for an exit status other than 0, unless `check` is False.
    """
    if arguments[0] != "status":
        say("reshelf " + " ".join(arguments))
    command = [sys.executable, "-m", "workers.cli", *arguments]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=check)
    return run.stdout


def wait_until_idle(timeout: float = 300) -> None:
    """Wait until nothing is due and no message waits. Raises TimeoutError."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        status = json.loads(reshelf("status", "--json", check=False))
        backlog = sum(status["queues"].values()) + sum(row["count"] for row in status["due"])
        if status["model"] is None:
            backlog = sum(status["queues"].values())
        if not backlog:
            return
        time.sleep(1)
    raise TimeoutError(f"still {backlog} rows and messages to work on after {timeout:.0f} s")


def compilations(settings: Settings) -> float | None:
    """Return the ranking worker's count of compilations since its model was warm."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{settings.metrics_port + 1}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return None
    return next(float(line.split()[1]) for line in lines if line.startswith("reshelf_compilations_after_warm_up "))


def say(line: str) -> None:
    """Tell whoever watches."""
    sys.stderr.write(f"{line}\n")
