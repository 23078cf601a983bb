"""`python -m benchmarks.search.serving`: progress on stderr, one JSON object as the last line of stdout."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import numpy as np
import psutil

from benchmarks import access, figures, machine, progress, shop
from benchmarks.search.serving import load
from benchmarks.search.serving.load import Answered
from benchmarks.serving.freshness.probes import Gateway
from workers.settings import Settings
from workers.supervisor import control
from workers.supervisor import installation as installations
from workers.supervisor.installation import Installation

_PATIENCE = 10.0
_MEASURED = ("gateway", "worker-search", "postgres", "redis")


def main() -> None:
    """Measure and print."""
    options = _options()
    with installations.temporary(access.environ(), shown=True) as installation:
        result = _measure(options, installation)
    figures.tell(result, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.search.serving", description=__doc__)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--users", type=int, default=2_000, help="0: nobody has a taste")
    parser.add_argument("--seconds", type=float, default=30, help="of each stage")
    parser.add_argument("--known-rate", type=float, default=500)
    parser.add_argument("--unknown-rate", type=float, default=50)
    parser.add_argument("--words-alone", action="store_true", help="train no search version")
    parser.add_argument("--out", help="file to keep the result in")
    return parser.parse_args()


def _measure(options: argparse.Namespace, installation: Installation) -> dict[str, Any]:
    settings = installation.settings
    gateway = Gateway(settings.gateway_port)
    progress.say(f"sending {options.items} items and the history of {options.users} users")
    shop.seed(str(settings.broker_url), users=options.users, items=options.items, per_user=20)
    installation.wait_until_idle(900)
    if options.users:
        installation.reshelf("train", "--minutes", "0.5")
    if not options.words_alone:
        installation.reshelf("train", "search")
    installation.wait_until_idle(900)
    _wait_until_searched(gateway, options)
    queries = Queries(options.users)
    known = [queries.known() for _ in range(200)]
    for path in known:
        gateway.get(path)
    seconds = options.seconds
    draw = random.Random(1)
    drawn = [draw.choice(known) for _ in range(int(options.known_rate * seconds))]
    unknown = int(options.unknown_rate * seconds)
    stages: dict[str, Any] = {}
    # The database still cleans up after the load.
    stages["known_just_loaded"] = _stage("known, just loaded", settings, drawn, options.known_rate)
    stages["unknown"] = _stage("unknown", settings, [queries.new() for _ in range(unknown)], options.unknown_rate)
    stages["suggest"] = _stage("suggest", settings, [queries.typed() for _ in range(int(100 * seconds))], 100)
    stages["known"] = _stage("known", settings, drawn, options.known_rate)
    with _probing(settings.gateway_port) as probes:
        stages["while_items_come"] = _stage(
            "items come and go", settings, [queries.new() for _ in range(unknown)], options.unknown_rate
        )
    pid = _kill(settings)
    stages["worker_killed"] = _stage("worker killed", settings, [queries.new() for _ in range(unknown)], 50)
    return {
        "benchmark": "search_serving",
        **machine.describe("cpu"),
        "items": options.items,
        "users": options.users,
        "search_version": not options.words_alone,
        "deadline_ms": settings.search_deadline_ms,
        "stages": stages,
        "new_items": probes.summary(),
        "killed_pid": pid,
    }


class Queries:
    """Paths of searches: frequent queries, new ones, and half-typed words."""

    def __init__(self, users: int) -> None:
        self._draw = random.Random(7)
        self._users = users

    def known(self) -> str:
        """A query that many make."""
        return f"/v1/search?q={quote(self._words(2))}"

    def new(self) -> str:
        """A query that nobody made before, by a user with a history."""
        words = f"{self._words(3)} {self._draw.randrange(10_000)}"
        whose = f"&user_id=user-{self._draw.randrange(self._users)}" if self._users else ""
        return f"/v1/search?q={quote(words)}{whose}"

    def typed(self) -> str:
        """The beginning of a query."""
        words = self._words(2)
        return f"/v1/suggest?q={quote(words[: self._draw.randrange(1, len(words))].strip())}"

    def _words(self, count: int) -> str:
        colours, things = shop.WORDS, shop.THINGS
        return " ".join([self._draw.choice(colours) for _ in range(count - 1)] + [self._draw.choice(things)])


class Probes:
    """Items that are created and sold out; each is searched for immediately and until it is seen."""

    def __init__(self, port: int) -> None:
        self._gateway = Gateway(port)
        self.searchable: list[float | None] = []
        self.sold_out_but_shown = 0
        self.sold_out = 0

    def probe(self) -> None:
        """Create an item with its own word and one that all items have; then sell it out."""
        word = f"probe{uuid.uuid4().hex[:8]}"
        item_id = f"item-{word}"
        paths = (f"/v1/search?q={word}", "/v1/search?q=lamp&sort=newest")
        for path in paths:
            self._gateway.get(path)
        start = time.perf_counter()
        change = {"kind": "upsert", "change_id": word, "item_id": item_id, "title": f"lamp {word}", "at": _now()}
        self._gateway.post("/v1/catalogue", [change])
        for path in paths:
            self.searchable.append(self._seen(path, item_id, start))
        stock = {"kind": "stock", "change_id": f"{word}-out", "item_id": item_id, "stock": 0, "at": _now()}
        self._gateway.post("/v1/catalogue", [stock])
        self.sold_out += 1
        for path in paths:
            shown = [item for item in self._gateway.get(path)["items"] if item["item_id"] == item_id]
            self.sold_out_but_shown += any(item["available"] for item in shown) or bool(shown)

    def summary(self) -> dict[str, Any]:
        """Return the times until an item was found, as p50 and p99 in ms, and how often a sold-out one was shown."""
        times = [_PATIENCE if seconds is None else seconds for seconds in self.searchable]
        return {
            "probed": len(times),
            "searchable_p50_ms": _percentile([1e3 * seconds for seconds in times], 50),
            "searchable_p99_ms": _percentile([1e3 * seconds for seconds in times], 99),
            "sold_out": self.sold_out,
            "sold_out_but_shown": self.sold_out_but_shown,
        }

    def _seen(self, path: str, item_id: str, start: float) -> float | None:
        while time.perf_counter() - start < _PATIENCE:
            if any(item["item_id"] == item_id for item in self._gateway.get(path)["items"]):
                return time.perf_counter() - start
            time.sleep(0.02)
        return None


@contextmanager
def _probing(port: int) -> Iterator[Probes]:
    """Probe once a second during the block."""
    probes, stop = Probes(port), threading.Event()

    def run() -> None:
        while not stop.wait(1.0):
            probes.probe()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield probes
    stop.set()
    thread.join(3 * _PATIENCE)


def _stage(name: str, settings: Settings, paths: Sequence[str], rate: float) -> dict[str, Any]:
    progress.say(f"{name}: {len(paths)} requests, {rate:g} a second")
    before = _processor_seconds(settings)
    answered = load.run(settings.gateway_port, paths, rate)
    after = _processor_seconds(settings)
    # If other programs run on the machine, these are more reliable than the times.
    spent = {who: round(1e3 * (after[who] - before.get(who, 0.0)) / len(paths), 2) for who in after}
    found = _summary(answered) | {"processor_ms_a_request": spent}
    progress.say(json.dumps(found))
    return {"rate": rate, **found}


def _processor_seconds(settings: Settings) -> dict[str, float]:
    """Return the CPU time that each program has used, with its children."""
    spent: dict[str, float] = {}
    for program in control.processes(control.socket_path(settings.home)):
        if program.name not in _MEASURED or program.pid is None:
            continue
        with contextlib.suppress(psutil.Error):
            parent = psutil.Process(program.pid)
            times = [one.cpu_times() for one in (parent, *parent.children(recursive=True))]
            spent[program.name] = sum(one.user + one.system for one in times)
    return spent


def _summary(answered: Sequence[Answered]) -> dict[str, Any]:
    times = [one.ms for one in answered]
    return {
        "requests": len(answered),
        "not_answered": sum(one.status != 200 for one in answered),
        "p50_ms": _percentile(times, 50),
        "p95_ms": _percentile(times, 95),
        "p99_ms": _percentile(times, 99),
        "max_ms": round(max(times), 1),
        "sources": dict(Counter(one.source for one in answered if one.source)),
        "fallbacks": dict(Counter(one.fallback for one in answered if one.fallback)),
        "personal": sum(bool(one.personal) for one in answered),
    }


def _wait_until_searched(gateway: Gateway, options: argparse.Namespace) -> None:
    """Wait until the worker has the catalogue, and the version, in memory."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        answer = gateway.get(f"/v1/search?q=lamp+{uuid.uuid4().hex[:6]}")
        if answer["fallback"] is None and (options.words_alone or answer["model_version"] is not None):
            return
        time.sleep(1)
    raise TimeoutError("the worker does not answer searches")


def _kill(settings: Settings) -> int:
    """Kill -9 the search worker, with its child."""
    processes = control.processes(control.socket_path(settings.home))
    [pid] = [process.pid for process in processes if process.name == "worker-search" and process.pid is not None]
    os.killpg(os.getpgid(pid), signal.SIGKILL)
    return pid


def _percentile(values: Sequence[float], percent: float) -> float | None:
    return round(float(np.percentile(values, percent)), 1) if values else None


def _now() -> str:
    return datetime.now(UTC).isoformat()


if __name__ == "__main__":
    main()
