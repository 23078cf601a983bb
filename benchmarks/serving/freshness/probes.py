"""Probes: something is sent, then the gateway is polled until its answer shows it."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from benchmarks import access, shop
from reshelf import client, tasks

_POLL = 0.01
_PATIENCE = 10.0

Clock = Callable[[], float]


class Gateway:
    """A keep-alive connection to the gateway; one per thread."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def get(self, path: str) -> dict[str, Any]:
        """Return the answer to a GET. Raises OSError unless it is 200."""
        return self.ask("GET", path)

    def post(self, path: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the answer to a POST. Raises OSError unless it is 202."""
        return self.ask("POST", path, json.dumps(rows, default=str))

    def ask(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        """Return the answer to a request. Raises OSError unless it is 200 or 202."""
        self._connection.request(
            method, path, body, access.HEADERS | ({"Content-Type": "application/json"} if body else {})
        )
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 202):
            raise OSError(f"{method} {path}: {answer.status} {content[:200]!r}")
        return dict(json.loads(content))


@dataclass
class Found:
    """What the probes saw. Times are in seconds from enqueue; None stands for not seen within ten."""

    events: list[dict[str, float | None]] = field(default_factory=list)
    new_similar: list[float | None] = field(default_factory=list)
    new_recommended: list[float | None] = field(default_factory=list)
    deletions: int = 0
    deleted_but_shown: int = 0


class Probes:
    """Probes on their own threads, each every so many seconds, with users that the traffic does not use."""

    def __init__(self, broker_url: str, gateway_port: int, *, items: int, users: int) -> None:
        self._sender = client.sender(broker_url)
        self._port = gateway_port
        self._items = items
        self._users = iter(range(users))
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.found = Found()

    def start(self, probe: Callable[[Probes, Gateway], None], *, every: float, threads: int = 1) -> None:
        """Run `probe` every `every` seconds on each of `threads` threads."""
        for _ in range(threads):
            self._threads.append(threading.Thread(target=self._run, args=(probe, every), daemon=True))
            self._threads[-1].start()

    def stop(self) -> Found:
        """End the probes and return what they saw."""
        self._stop.set()
        for thread in self._threads:
            thread.join(2 * _PATIENCE)
        return self.found

    def user(self) -> int:
        """Return a user that no other event of this run uses."""
        with self._lock:
            return next(self._users)

    def send(self, task: str, row: dict[str, Any]) -> None:
        """Put one single-row message on the queue."""
        with self._lock:
            self._sender.send_task(task, args=[[json.loads(json.dumps(row, default=str))]])

    def any_item(self) -> int:
        """Return the number of an item of the first catalogue."""
        return random.randrange(self._items)

    def _run(self, probe: Callable[[Probes, Gateway], None], every: float) -> None:
        gateway = Gateway(self._port)
        while not self._stop.wait(random.uniform(0.5, 1.5) * every):
            probe(self, gateway)


def event_probe(probes: Probes, gateway: Gateway) -> None:
    """A click of a user; visible when the answer says that it reflects events up to it."""
    user = probes.user()
    at = datetime.now(UTC)
    start = time.perf_counter()
    probes.send(tasks.EVENTS, shop.event(f"probe-{uuid.uuid4()}", user, f"item-{probes.any_item()}", at))
    answer: dict[str, Any] = {}

    def shows() -> bool:
        nonlocal answer
        answer = gateway.get(f"/v1/users/user-{user}/recommendations?limit=20")
        return _time(answer["through"]) >= at and answer["source"] == "personal"

    seen = _wait(shows, start)
    ranked = (_time(answer["generated_at"]) - at).total_seconds() if seen is not None else None
    probes.found.events.append({"user": user, "at": at.timestamp(), "ranked": ranked, "visible": seen})


def new_item_probe(probes: Probes, gateway: Gateway) -> None:
    """A new item with the description of an existing one: on its own `similar` shelf, and on a home shelf."""
    twin = probes.any_item()
    user = probes.user()
    number = 1_000_000 + user
    now = datetime.now(UTC)
    start = time.perf_counter()
    probes.send(tasks.CATALOGUE, shop.item(number, twin_of=twin, at=now))
    probes.found.new_similar.append(
        _wait(lambda: gateway.get(f"/v1/items/item-{number}/similar?limit=5")["source"] == "similar", start)
    )
    probes.found.new_recommended.append(
        _wait(lambda: _holds(gateway.get(f"/v1/items/item-{twin}/similar?limit=50"), f"item-{number}"), start)
    )


def deletion_probe(probes: Probes, gateway: Gateway) -> None:
    """An item on a shelf is deleted over HTTP; the very next answer must not contain it."""
    path = f"/v1/users/user-{probes.user()}/recommendations?limit=20"
    victim = random.choice(gateway.get(path)["items"])["item_id"]
    deletion = {"kind": "delete", "change_id": f"delete-{victim}", "item_id": victim, "at": datetime.now(UTC)}
    gateway.post("/v1/catalogue", [deletion])
    probes.found.deletions += 1
    probes.found.deleted_but_shown += _holds(gateway.get(path), victim)


def _wait(shows: Callable[[], bool], start: float) -> float | None:
    while time.perf_counter() - start < _PATIENCE:
        if shows():
            return time.perf_counter() - start
        time.sleep(_POLL)
    return None


def _holds(answer: dict[str, Any], item_id: str) -> bool:
    return any(item["item_id"] == item_id for item in answer["items"])


def _time(value: str | None) -> datetime:
    return datetime.fromisoformat(value) if value else datetime.min.replace(tzinfo=UTC)
