"""Freshness during other work: a training, a swap, searches and screenings."""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from benchmarks import progress, shop
from benchmarks.serving.freshness.probes import Gateway
from benchmarks.serving.freshness.run import Run
from workers.supervisor import processes
from workers.supervisor.installation import Installation

_RATE = 100
_SECONDS = 20.0
_PATIENCE = 180.0
_REFUSED_SECONDS = 15.0  # within this time a training reports that another one runs
_OTHERS = 20  # searches a second, and screenings


def measured(run: Run) -> dict[str, Any]:
    """Return what the probes see at 100 events per second during each of them."""
    installation = run.installation
    found: dict[str, Any] = {}
    installation.wait_until_idle()
    training = _training(installation)
    found["training"] = run.at(_RATE, _SECONDS) | {"still_ran": training.poll() is None}
    said = training.communicate()[0]
    if not said:  # a rejected one ends with 1, but still prints its version
        raise RuntimeError(f"the training ended with {training.returncode} and told nothing")
    report = json.loads(said)
    installation.wait_until_idle()
    installation.reshelf("models", "promote", report["version"], "--force")
    found["swap"] = run.at(_RATE, _SECONDS)
    installation.wait_until_idle()
    with _others(run) as answered:
        found["searches_and_screenings"] = run.at(_RATE, _SECONDS) | {"answered": answered}
    return found


def _training(installation: Installation) -> subprocess.Popen[str]:
    """Start a training and return once it computes; if the shop's own update is running, wait for its end first."""
    arguments = ("train", "--minutes", "0.5", "--no-publish", "--json")
    progress.say("reshelf " + " ".join(arguments))
    until = time.monotonic() + _PATIENCE
    while True:
        training = subprocess.Popen(
            processes.reshelf_command(*arguments),
            env=installation.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        time.sleep(_REFUSED_SECONDS)
        if training.poll() is None:
            return training
        if time.monotonic() > until:
            raise TimeoutError(f"no training could begin within {_PATIENCE:.0f} s")


@contextmanager
def _others(run: Run) -> Iterator[dict[str, int]]:
    """Send searches and screenings, `_OTHERS` of each per second; yield how many were answered."""
    end, answered = threading.Event(), {"searches": 0, "screenings": 0}
    draw = random.Random(5)

    def search(gateway: Gateway, _: int) -> None:
        gateway.get(f"/v1/search?q={draw.choice(shop.WORDS)}+{draw.choice(shop.THINGS)}&limit=20")
        answered["searches"] += 1

    def screen(gateway: Gateway, n: int) -> None:
        order = {"order_id": f"o-{n}", "at": datetime.now(UTC).isoformat(), "customer_id": f"user-{n % 500}"}
        gateway.ask("POST", "/v1/orders/screen", json.dumps(order | {"amount": 20.0 + n % 90, "currency": "EUR"}))
        answered["screenings"] += 1

    def repeat(ask: Any) -> None:
        gateway, n, due = Gateway(run.settings.gateway_port), 0, time.monotonic()
        while not end.is_set():
            ask(gateway, n)
            n += 1
            due += 1 / _OTHERS
            time.sleep(max(0.0, due - time.monotonic()))

    threads = [threading.Thread(target=repeat, args=(ask,), daemon=True) for ask in (search, screen)]
    for thread in threads:
        thread.start()
    try:
        yield answered
    finally:
        end.set()
        for thread in threads:
            thread.join(15)
